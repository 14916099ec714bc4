package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.family.ModelExport;
import io.github.diffusion4j.family.ModelLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A model's weights among the goldens, and the variant whose networks are exports of them.
 *
 * @param weights folder of safetensors, without tokenizers
 * @param variant has cases and a model of ONNX files
 * @param float16 whether the variant is of 16 bits
 * @param place where whole models are put together
 */
record WeightsFolder(Path weights, Path variant, boolean float16, Path place) {

  /** Variants with the names of their weights. */
  private static final List<List<String>> PAIRS =
      List.of(
          List.of("sd15-clip-skip", "sd15"),
          List.of("sd15-fp16", "sd15"),
          List.of("sdxl", "sdxl"),
          List.of("sd3", "sd3"));

  /** Those whose both halves are there. */
  static List<WeightsFolder> of(Path goldens, Path place) {
    List<WeightsFolder> found = new ArrayList<>();
    for (List<String> pair : PAIRS) {
      Path variant = goldens.resolve(pair.get(0));
      Path weights = goldens.resolve("weights").resolve(pair.get(1));
      if (Files.isDirectory(variant) && Files.isDirectory(weights)) {
        found.add(new WeightsFolder(weights, variant, pair.get(0).endsWith("fp16"), place));
      }
    }
    return found;
  }

  /** A case with the model of weights. */
  PipelineCase composed(PipelineCase golden) throws IOException {
    return golden.withModel(model(golden.model()));
  }

  /** A case with ONNX files that are written from the model of weights. */
  PipelineCase exported(PipelineCase golden) throws IOException {
    Path folder = place.resolve("export-" + variant.getFileName());
    Precision precision = float16 ? Precision.FLOAT16 : Precision.STORED;
    new ModelExport(ModelLayout.of(model(golden.model())), precision).write(folder);
    return golden.withModel(folder);
  }

  /** Weights with what an export has beside: tokenizers. */
  private Path model(Path export) throws IOException {
    Path folder = place.resolve(variant.getFileName());
    if (Files.exists(folder)) {
      return folder;
    }
    ModelCopy copy = ModelCopy.of(weights, folder);
    try (Stream<Path> parts = Files.list(export)) {
      for (Path part : parts.filter(Files::isDirectory).toList()) {
        String name = part.getFileName().toString();
        if (name.startsWith("tokenizer")) {
          ModelCopy.of(part, copy.file(name));
        }
      }
    }
    return folder;
  }
}
