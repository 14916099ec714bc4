package io.github.diffusion4j.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a network takes and gives.
 *
 * @param inputs by name, in the network's order
 * @param changes the inputs for changes of layers, which are not among the others
 * @param outputs by name, in the network's order
 */
record Signature(
    Map<String, TensorSpec> inputs,
    Map<String, TensorSpec> changes,
    Map<String, TensorSpec> outputs) {

  Signature {
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    changes = Map.copyOf(changes);
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
  }

  private static Signature of(Map<String, TensorSpec> inputs, Map<String, TensorSpec> outputs) {
    Map<String, TensorSpec> own = new LinkedHashMap<>(inputs);
    own.keySet().removeIf(GraphEdit.LowRankInputs::isInput);
    Map<String, TensorSpec> changes = new LinkedHashMap<>(inputs);
    changes.keySet().removeAll(own.keySet());
    return new Signature(own, changes, outputs);
  }

  /** As ONNX Runtime sees an open network. */
  static Signature of(OrtSession session) throws OrtException {
    return of(specs(session.getInputInfo().values()), specs(session.getOutputInfo().values()));
  }

  /** As a file declares it. */
  static Signature of(OnnxFile file) {
    return of(byName(file.inputs()), byName(file.outputs()));
  }

  /** Whether every input and output has a type, and every output, never a scalar, a shape. */
  boolean isComplete() {
    return outputs.values().stream().allMatch(spec -> isKnown(spec) && spec.rank() > 0)
        && inputs.values().stream().allMatch(Signature::isKnown);
  }

  private static boolean isKnown(TensorSpec spec) {
    return spec.type() != ElementType.UNSUPPORTED;
  }

  private static Map<String, TensorSpec> byName(List<TensorSpec> specs) {
    Map<String, TensorSpec> named = new LinkedHashMap<>();
    specs.forEach(spec -> named.put(spec.name(), spec));
    return named;
  }

  private static Map<String, TensorSpec> specs(Collection<NodeInfo> nodes) {
    Map<String, TensorSpec> specs = new LinkedHashMap<>();
    for (NodeInfo node : nodes) {
      TensorSpec spec =
          node.getInfo() instanceof TensorInfo info
              ? new TensorSpec(
                  node.getName(), ElementType.of(info), boxed(info.getShape()), names(info))
              : new TensorSpec(node.getName(), ElementType.UNSUPPORTED, List.of(), List.of());
      specs.put(node.getName(), spec);
    }
    return specs;
  }

  private static List<Long> boxed(long[] shape) {
    return Arrays.stream(shape).boxed().toList();
  }

  private static List<String> names(TensorInfo info) {
    return Arrays.stream(info.getDimensionNames()).map(n -> n == null ? "" : n).toList();
  }
}
