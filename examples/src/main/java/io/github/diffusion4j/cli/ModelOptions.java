package io.github.diffusion4j.cli;

import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.SafetyPolicy;
import io.github.diffusion4j.VaeTiling;
import io.github.diffusion4j.examples.ShippedModel;
import io.github.diffusion4j.family.ModelLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which model, and what computes it. */
final class ModelOptions {

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description =
          "Model in the Hugging Face layout (with model_index.json), of ONNX files or safetensors,"
              + " or a checkpoint in one .safetensors file. Default: $DIFFUSION4J_MODEL, else the"
              + " small model that ships.")
  private Path model;

  @Mixin private CheckpointOptions checkpoint;

  @Option(
      names = "--lora-dir",
      paramLabel = "DIR",
      description =
          "Where <lora:NAME:SCALE> in prompts (with --prompt-syntax a1111) finds its file.")
  private Path loraFolder;

  @Option(
      names = "--merge-lora",
      paramLabel = "FILE[:SCALE]",
      description =
          "Merge a LoRA into the model when it is opened: for all pictures; may be given again.")
  private List<String> merged = List.of();

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
      names = "--residency",
      paramLabel = "WHICH",
      converter = ResidencyConverter.class,
      description =
          "Networks in memory: all, on-demand (one after the other: least memory, slower) or auto."
              + " Default: auto, which is all unless --memory says otherwise.")
  private Residency residency = Residency.AUTO;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = BytesConverter.class,
      description =
          "Most memory to take, such as 6g or 800m: chooses how networks stay in memory and how"
              + " they run, and refuses pictures that do not fit. Default: no limit.")
  private Long memory = 0L;

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
      names = "--no-winograd",
      description =
          "Compute large convolutions of models of safetensors plainly: a little slower on the CPU,"
              + " with less memory.")
  private boolean plainConvolutions;

  @Option(
      names = "--safety",
      paramLabel = "POLICY",
      converter = SafetyConverter.class,
      description =
          "Pictures that the model's safety checker flags: black, blur, report (only told) or off."
              + " Default: black.")
  private SafetyPolicy safety;

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

  /** The model with what these options add to it. */
  ModelLayout layout() throws IOException {
    ModelLayout layout = ModelLayout.of(folder(), checkpoint.hints());
    if (!merged.isEmpty()) {
      layout = layout.withLoras(merged.stream().map(LoraOption::parse).toList());
    }
    return loraFolder == null ? layout : layout.withLoraFolder(loraFolder);
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
            .winograd(!plainConvolutions)
            .vaeTiling(tiling)
            .residency(residency)
            .memoryLimit(memory)
            .safety(safety());
    if (optimizedCache != null) {
      options.optimizedModelCache(optimizedCache);
    }
    return options.build();
  }

  private SafetyPolicy safety() {
    if (unchecked && safety != null && safety != SafetyPolicy.OFF) {
      throw new IllegalArgumentException(
          "--no-safety-checker means --safety off, got --safety "
              + safety.name().toLowerCase(Locale.ROOT)
              + " as well; give one of them");
    }
    return unchecked ? SafetyPolicy.OFF : safety == null ? SafetyPolicy.BLACK : safety;
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

  /** Reads a residency's name. */
  static final class ResidencyConverter implements ITypeConverter<Residency> {
    @Override
    public Residency convert(String text) {
      try {
        return Residency.valueOf(text.toUpperCase(Locale.ROOT).replace('-', '_'));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException("expected all, on-demand or auto, got " + text);
      }
    }
  }

  /** Reads a number of bytes with a unit: 800m, 6g, 1.5g. */
  static final class BytesConverter implements ITypeConverter<Long> {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,6}(?:\\.\\d{1,3})?)([mg])");

    @Override
    public Long convert(String text) {
      Matcher size = SIZE.matcher(text.toLowerCase(Locale.ROOT));
      if (!size.matches() || Double.parseDouble(size.group(1)) == 0) {
        throw new TypeConversionException("expected a size such as 6g or 800m, got " + text);
      }
      return (long)
          (Double.parseDouble(size.group(1)) * (1L << (size.group(2).equals("g") ? 30 : 20)));
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
