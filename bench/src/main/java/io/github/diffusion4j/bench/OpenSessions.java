package io.github.diffusion4j.bench;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The sessions that an open pipeline runs, found by following its fields: the library shows ONNX
 * Runtime's types to nobody, and opening a model of full size a second time beside the pipeline
 * would need twice the memory and compare two sessions instead of two ways to run one.
 */
final class OpenSessions {

  private static final String OWN = "io.github.diffusion4j.";

  private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Deque<Object> waiting = new ArrayDeque<>();

  private OpenSessions(Object root) {
    waiting.add(root);
  }

  /**
   * The session that takes all of these inputs.
   *
   * @param root what holds the sessions
   * @param inputs names of inputs
   */
  static OrtSession taking(Object root, Set<String> inputs) throws OrtException {
    OpenSessions search = new OpenSessions(root);
    while (!search.waiting.isEmpty()) {
      Object next = search.waiting.poll();
      if (!search.seen.add(next)) {
        continue;
      }
      if (next instanceof OrtSession session) {
        if (session.getInputNames().containsAll(inputs)) {
          return session;
        }
      } else {
        search.follow(next);
      }
    }
    throw new IllegalArgumentException(
        "model must be a Stable Diffusion 1 or 2 whose networks stay open: no open session takes "
            + inputs);
  }

  private void follow(Object object) {
    if (object instanceof Map<?, ?> map) {
      map.values().forEach(this::add);
    } else if (object instanceof Collection<?> collection) {
      collection.forEach(this::add);
    } else if (object instanceof Object[] array) {
      for (Object element : array) {
        add(element);
      }
    } else if (object.getClass().getName().startsWith(OWN)) {
      for (Class<?> type = object.getClass(); type != null; type = type.getSuperclass()) {
        for (Field field : type.getDeclaredFields()) {
          add(value(field, object));
        }
      }
    }
  }

  private void add(Object object) {
    if (object != null) {
      waiting.add(object);
    }
  }

  private static Object value(Field field, Object of) {
    if (Modifier.isStatic(field.getModifiers()) || field.getType().isPrimitive()) {
      return null;
    }
    try {
      field.setAccessible(true);
      return field.get(of);
    } catch (IllegalAccessException | InaccessibleObjectException e) {
      return null; // of another module: no session of ours
    }
  }
}
