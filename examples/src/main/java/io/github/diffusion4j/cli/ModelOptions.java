package io.github.diffusion4j.cli;

import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.SafetyPolicy;
import io.github.diffusion4j.VaeTiling;
import io.github.diffusion4j.examples.ShippedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which model, and what computes it. */
final class ModelOptions {

  @Option(
      names = {"-m", "--model"},
      paramLabel = "DIR",
      description =
          "Model in the Hugging Face layout (with model_index.json), of ONNX files or safetensors. Default:"
              + " $DIFFUSION4J_MODEL, else the small model that ships.")
  private Path model;

  @Option(
      names = "--provider",
      paramLabel = "NAME",
      converter = ProviderConverter.class,
      description = "What computes: " + ExecutionProvider.NAMES + ". Default: auto.")
  private ExecutionProvider provider = ExecutionProvider.auto();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads on the CPU. Default: 0, as many as there are cores.")
  private int threads;

  @Option(
      names = "--optimized-cache",
      paramLabel = "DIR",
      description =
          "Keep networks there as ONNX Runtime has rewritten them, so that the next start is faster."
              + " Takes as much room as the model. Default: none are kept.")
  private Path optimizedCache;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      converter = PrecisionConverter.class,
      description =
          "What networks compute in that are built from weights: auto (fp32 on the CPU, elsewhere as"
              + " stored), stored, fp32, fp16 or bf16. Default: auto.")
  private RuntimeOptions.Precision precision = RuntimeOptions.Precision.AUTO;

  @Option(
      names = "--safety",
      paramLabel = "POLICY",
      converter = SafetyConverter.class,
      description =
          "Pictures that the model's safety checker flags: black, blur, report (only told) or off."
              + " Default: black.")
  private SafetyPolicy safety = SafetyPolicy.BLACK;

  @Option(
      names = "--no-safety-checker",
      description = "Do not open the model's safety checker: the same as --safety off.")
  private boolean unchecked;

  @Option(
      names = "--vae-tiling",
      paramLabel = "WHEN",
      converter = TilingConverter.class,
      description =
          "Decode tile by tile: auto (where memory asks for it), on, off, or the side of the tiles in"
              + " pixels. Default: auto.")
  private VaeTiling tiling = VaeTiling.AUTO;

  /** The folder asked for, or the shipped one. */
  Path folder() throws IOException {
    return model == null ? ShippedModel.path() : model;
  }

  /** Options of the runtime. */
  RuntimeOptions runtime() {
    if (threads < 0 || threads > RuntimeOptions.MAX_THREADS) {
      throw new IllegalArgumentException(
          "--threads must be in [0, " + RuntimeOptions.MAX_THREADS + "], got " + threads);
    }
    RuntimeOptions.Builder options =
        RuntimeOptions.builder()
            .provider(provider)
            .intraOpThreads(threads)
            .precision(precision)
            .vaeTiling(tiling)
            .safety(unchecked ? SafetyPolicy.OFF : safety);
    if (optimizedCache != null) {
      options.optimizedModelCache(optimizedCache);
    }
    return options.build();
  }

  /** Reads when to tile. */
  static final class TilingConverter implements ITypeConverter<VaeTiling> {
    @Override
    public VaeTiling convert(String text) {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "auto" -> VaeTiling.AUTO;
        case "on" -> VaeTiling.ON;
        case "off" -> VaeTiling.OFF;
        default -> ofSize(text);
      };
    }

    private static VaeTiling ofSize(String text) {
      try {
        int pixels = Integer.parseInt(text);
        if (pixels > 0) {
          return VaeTiling.ON.withTileSize(pixels);
        }
      } catch (NumberFormatException e) {
        // said below
      }
      throw new TypeConversionException(
          "expected auto, on, off or a number of pixels, got " + text);
    }
  }

  /** Reads a policy's name. */
  static final class SafetyConverter implements ITypeConverter<SafetyPolicy> {
    @Override
    public SafetyPolicy convert(String text) {
      try {
        return SafetyPolicy.valueOf(text.toUpperCase(Locale.ROOT));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException("expected black, blur, report or off, got " + text);
      }
    }
  }

  /** Reads a provider's name. */
  static final class ProviderConverter implements ITypeConverter<ExecutionProvider> {
    @Override
    public ExecutionProvider convert(String text) {
      try {
        return ExecutionProvider.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
