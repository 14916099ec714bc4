package io.github.diffusion4j.checkpoint;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The tensors of a file under one prefix: one network of a checkpoint. Immutable.
 *
 * @param file the checkpoint
 * @param prefix what all names begin with, such as {@code model.diffusion_model.}
 * @param tensors by name without the prefix
 */
record StoredNetwork(Path file, String prefix, NavigableMap<String, TensorInfo> tensors) {

  /** What programs that quantize put beside weights. */
  private static final Pattern SCALED =
      Pattern.compile("(.*\\.)?(scale_weight|weight_scale|scale_input|input_scale|scaled_fp8)");

  StoredNetwork {
    tensors = Collections.unmodifiableNavigableMap(new TreeMap<>(tensors));
  }

  static StoredNetwork of(Path file, Map<String, TensorInfo> all, String prefix) {
    NavigableMap<String, TensorInfo> tensors = new TreeMap<>();
    all.forEach(
        (name, info) -> {
          if (name.startsWith(prefix)) {
            tensors.put(name.substring(prefix.length()), info);
          }
        });
    return new StoredNetwork(file, prefix, tensors);
  }

  boolean has(String name) {
    return tensors.containsKey(name);
  }

  /** Whether any name begins so. */
  boolean hasAny(String start) {
    String next = tensors.ceilingKey(start);
    return next != null && next.startsWith(start);
  }

  /** How many numbered modules there are: {@code start0.}, {@code start1.} … */
  int count(String start) {
    int count = 0;
    while (hasAny(start + count + ".")) {
      count++;
    }
    return count;
  }

  /** A tensor that must be there, of so many dimensions: one of the numbers. */
  TensorInfo tensor(String name, Integer... ranks) {
    TensorInfo info = tensors.get(name);
    String expected =
        Stream.of(ranks)
            .map(String::valueOf)
            .collect(Collectors.joining(" or ", "", " dimensions"));
    if (info == null) {
      throw error(
          "has no tensor \"%s%s\", expected one of %s; download the file again or take another one"
              .formatted(prefix, name, expected));
    }
    if (!List.of(ranks).contains(info.shape().size())) {
      throw error(
          "tensor \"%s%s\" has the shape %s, expected %s"
              .formatted(prefix, name, info.shape(), expected));
    }
    return info;
  }

  /** A dimension of a tensor that must be there. */
  int size(String name, int rank, int dimension) {
    long size = tensor(name, rank).shape().get(dimension);
    if (size < 1 || size > Integer.MAX_VALUE) {
      throw error("tensor \"%s%s\" has a dimension of %d".formatted(prefix, name, size));
    }
    return (int) size;
  }

  /** Whether a tensor is a scale of quantized weights. */
  static boolean isScale(String name) {
    return SCALED.matcher(name).matches();
  }

  /** An error about tensors that belong to no module that is known here. */
  ModelFormatException unexpected(List<String> names) {
    if (names.stream().anyMatch(StoredNetwork::isScale)) {
      return error(
          "has weights of 8 bits with scales beside them, such as %s, which are not read; take the model in F16, BF16 or plain F8_E4M3"
              .formatted(names.stream().limit(3).map(name -> prefix + name).toList()));
    }
    return error(
        "has %d tensors that are not part of this kind of network, such as %s"
            .formatted(names.size(), names.stream().limit(3).map(name -> prefix + name).toList()));
  }

  ModelFormatException error(String what) {
    return new ModelFormatException(file + ": " + what);
  }
}
