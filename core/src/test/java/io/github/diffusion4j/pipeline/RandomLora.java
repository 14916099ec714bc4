package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import io.github.diffusion4j.tensor.TensorStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * LoRAs of random numbers in peft's names.
 *
 * @param rank of each change
 * @param random where they come from
 */
record RandomLora(int rank, Random random) {

  /** Tables, and what the network does not compute. */
  private static final Pattern NO_LAYERS =
      Pattern.compile(
          "embeddings\\.|^text_projection|^shared|embed_tokens|relative_attention_bias");

  /** Writes changes of those layers of a model's components whose names will do. */
  Path write(Path file, Path model, Predicate<String> which, String... components)
      throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    for (String component : components) {
      layers(model.resolve(component))
          .forEach(
              (name, shape) -> {
                if (which.test(name)) {
                  add(writer, component + "." + name, shape);
                }
              });
    }
    writer.write(file);
    return file;
  }

  /** Every layer with a weight of two or four dimensions, but embedding tables. */
  private static Map<String, LowRank.Shape> layers(Path component) throws IOException {
    Map<String, LowRank.Shape> layers = new TreeMap<>();
    try (Stream<Path> files = Files.list(component)) {
      Path file = files.filter(f -> f.toString().endsWith(".safetensors")).findAny().orElseThrow();
      try (TensorStore store = TensorStore.open(file)) {
        for (String name : store.names()) {
          List<Long> shape = store.info(name).shape();
          boolean layer = name.endsWith(".weight") && shape.size() > 1;
          if (layer && !NO_LAYERS.matcher(name).find()) {
            boolean matrix = shape.size() == 2;
            layers.put(
                name.substring(0, name.length() - ".weight".length()),
                new LowRank.Shape(
                    shape.get(0).intValue(),
                    shape.get(1).intValue(),
                    matrix ? 1 : shape.get(2).intValue(),
                    matrix ? 1 : shape.get(3).intValue()));
          }
        }
      }
    }
    return layers;
  }

  private void add(SafetensorsWriter writer, String name, LowRank.Shape shape) {
    long height = shape.height();
    long width = shape.width();
    writer.add(
        name + ".lora_A.weight",
        List.of((long) rank, (long) shape.in(), height, width),
        values(rank * shape.columns()));
    writer.add(
        name + ".lora_B.weight",
        List.of((long) shape.out(), (long) rank, 1L, 1L),
        values(rank * shape.out()));
  }

  private float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() / 10;
    }
    return values;
  }
}
