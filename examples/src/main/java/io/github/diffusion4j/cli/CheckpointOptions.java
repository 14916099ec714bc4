package io.github.diffusion4j.cli;

import io.github.diffusion4j.checkpoint.CheckpointHints;
import io.github.diffusion4j.scheduler.Prediction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What a checkpoint in one file cannot tell of itself. */
final class CheckpointOptions {

  @Option(
      names = "--config",
      paramLabel = "DIR",
      description =
          "Configurations and tokenizers of a checkpoint in one file, in the layout of diffusers,"
              + " where they are not those of published models.")
  private Path config;

  @Option(
      names = "--prediction",
      paramLabel = "TYPE",
      converter = PredictionConverter.class,
      description =
          "What the UNet of a checkpoint in one file gives, whatever the file says: epsilon or"
              + " v_prediction.")
  private Prediction prediction;

  /** What is given here. */
  CheckpointHints hints() throws IOException {
    CheckpointHints hints =
        config == null ? CheckpointHints.NONE : CheckpointHints.NONE.withConfigs(config);
    return prediction == null ? hints : hints.withPrediction(prediction);
  }

  /** Reads what a UNet gives. */
  static final class PredictionConverter implements ITypeConverter<Prediction> {
    @Override
    public Prediction convert(String text) {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "epsilon" -> Prediction.EPSILON;
        case "v", "v_prediction" -> Prediction.V;
        default ->
            throw new TypeConversionException("expected epsilon or v_prediction, got " + text);
      };
    }
  }
}
