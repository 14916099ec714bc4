package io.github.diffusion4j.lora;

import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.tensor.TensorStore;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A LoRA file, read: the change of each layer, alpha over rank within it. Layers of convolutions,
 * with a third matrix between or without (LoCon), too. Immutable.
 *
 * @param file where it is
 * @param components changes by component and by layer; layers with underscores in place of dots
 */
record LoraFile(Path file, Map<String, Map<String, LowRank>> components) {

  /** Tensors of one change, by what they are. */
  private record Tensors(Map<LoraKey.Part, String> names) {}

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read
   * @throws ModelFormatException if it holds something else
   */
  static LoraFile read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new ModelFormatException(
          file + ": is a folder, expected a LoRA's .safetensors file; name the one in it");
    }
    try (TensorStore store = TensorStore.open(file)) {
      return new LoraFile(file, new Reading(file, store).components());
    }
  }

  /** One reading of a file. */
  private record Reading(Path file, TensorStore store) {

    Map<String, Map<String, LowRank>> components() throws IOException {
      Map<String, Map<String, Tensors>> found = new TreeMap<>();
      List<String> unknown = new ArrayList<>();
      for (String name : store.names()) {
        Optional<String> other = LoraKey.otherKind(name);
        if (other.isPresent()) {
          throw error(
              "is %s (tensor \"%s\"), which is not supported; only LoRA and LoCon are. Merge it into a model with the program that made it"
                  .formatted(other.get(), name));
        }
        Optional<LoraKey> key = LoraKey.of(name);
        if (key.isEmpty()) {
          unknown.add(name);
        } else {
          found
              .computeIfAbsent(key.get().component(), absent -> new TreeMap<>())
              .computeIfAbsent(
                  key.get().layer(), absent -> new Tensors(new EnumMap<>(LoraKey.Part.class)))
              .names()
              .put(key.get().part(), name);
        }
      }
      if (!unknown.isEmpty()) {
        throw error(
            "has %d tensors that no LoRA has, such as %s; expected names that begin with one of %s"
                .formatted(
                    unknown.size(), unknown.stream().limit(3).toList(), LoraKey.beginnings()));
      }
      if (found.isEmpty()) {
        throw error("has no tensors, expected those of a LoRA; download the file again");
      }
      Map<String, Map<String, LowRank>> changes = new TreeMap<>();
      for (Map.Entry<String, Map<String, Tensors>> component : found.entrySet()) {
        AdapterMetadata adapters = AdapterMetadata.of(file, store.metadata(), component.getKey());
        Map<String, LowRank> read = new TreeMap<>();
        component
            .getValue()
            .forEach((layer, tensors) -> read.put(layer, change(layer, tensors.names(), adapters)));
        changes.put(component.getKey(), read);
      }
      return changes;
    }

    private LowRank change(
        String layer, Map<LoraKey.Part, String> names, AdapterMetadata adapters) {
      try {
        return read(layer, names, adapters);
      } catch (ArithmeticException e) {
        throw error("its change of layer %s is larger than any layer".formatted(layer));
      }
    }

    private LowRank read(String layer, Map<LoraKey.Part, String> names, AdapterMetadata adapters) {
      String downName = names.get(LoraKey.Part.DOWN);
      String upName = names.get(LoraKey.Part.UP);
      if (downName == null || upName == null) {
        throw error(
            "has no %s for layer %s".formatted(upName == null ? "lora_up" : "lora_down", layer));
      }
      List<Long> down = shape(downName);
      List<Long> up = shape(upName);
      float[] first = store.floats(downName);
      long rank = down.get(0);
      String middleName = names.get(LoraKey.Part.MIDDLE);
      if (middleName != null) {
        List<Long> middle = shape(middleName);
        boolean fits = down.get(2) * down.get(3) == 1 && middle.get(1) == rank;
        require(fits, downName, down, middleName, middle);
        first = composed(store.floats(middleName), middle, first, down.get(1).intValue());
        rank = middle.get(0);
        down = List.of(rank, down.get(1), middle.get(2), middle.get(3));
      }
      require(up.get(1) == rank && up.get(2) * up.get(3) == 1, downName, down, upName, up);
      LowRank.Shape shape =
          new LowRank.Shape(
              up.get(0).intValue(),
              down.get(1).intValue(),
              down.get(2).intValue(),
              down.get(3).intValue());
      float[] second = store.floats(upName);
      String alpha = names.get(LoraKey.Part.ALPHA);
      double whole = alpha == null ? adapters.factor(layer, rank) : alpha(alpha) / rank;
      if (whole != 1) {
        float factor = (float) whole;
        for (int i = 0; i < second.length; i++) {
          second[i] *= factor;
        }
      }
      return LowRank.of(shape, first, second);
    }

    private double alpha(String name) {
      if (store.info(name).elements() != 1) {
        throw error(
            "tensor \"%s\" must be a number, found %s".formatted(name, store.info(name).shape()));
      }
      boolean whole = store.info(name).type().kind() == TensorType.Kind.INTEGER; // as converters do
      double alpha = whole ? store.longs(name)[0] : store.floats(name)[0];
      if (!Double.isFinite(alpha)) {
        throw error("tensor \"%s\" must be a finite number, found %s".formatted(name, alpha));
      }
      return alpha;
    }

    /** Four dimensions, 1 where a matrix has none. */
    private List<Long> shape(String name) {
      List<Long> shape = new ArrayList<>(store.info(name).shape());
      boolean matrix = shape.size() == 2;
      if (matrix) {
        shape.addAll(List.of(1L, 1L));
      }
      if (shape.size() != 4
          || shape.contains(0L)
          || store.info(name).elements() > Integer.MAX_VALUE - 8) {
        throw error(
            "tensor \"%s\" has the shape %s, expected two or four dimensions, none of them 0"
                .formatted(name, store.info(name).shape()));
      }
      return shape;
    }

    private void require(boolean fits, String a, List<Long> aShape, String b, List<Long> bShape) {
      if (!fits) {
        throw error(
            "tensors \"%s\" %s and \"%s\" %s do not belong together"
                .formatted(a, aShape, b, bShape));
      }
    }

    /** A point, then a kernel, as one kernel. */
    private static float[] composed(float[] kernel, List<Long> shape, float[] point, int in) {
      int out = shape.get(0).intValue();
      int rank = shape.get(1).intValue();
      int size = (int) (shape.get(2) * shape.get(3));
      float[] one = new float[Math.multiplyExact(out, Math.multiplyExact(in, size))];
      for (int row = 0; row < out; row++) {
        for (int k = 0; k < rank; k++) {
          for (int channel = 0; channel < in; channel++) {
            float factor = point[k * in + channel];
            for (int i = 0; i < size; i++) {
              one[(row * in + channel) * size + i] += factor * kernel[(row * rank + k) * size + i];
            }
          }
        }
      }
      return one;
    }

    private ModelFormatException error(String what) {
      return new ModelFormatException(file + ": " + what);
    }
  }
}
