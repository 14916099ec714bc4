package io.github.diffusion4j.cli;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.task.Variation;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What a picture should be like. A line of a batch file has these options too. */
final class PictureOptions {

  private static final double VARIATION_STRENGTH = 0.1;

  @Option(
      names = {"-n", "--negative"},
      paramLabel = "TEXT",
      description = "What to keep away from.")
  private String negative;

  @Option(names = "--width", paramLabel = "PIXELS", description = "Default: the model's.")
  private Integer width;

  @Option(names = "--height", paramLabel = "PIXELS", description = "Default: the model's.")
  private Integer height;

  @Option(names = "--steps", paramLabel = "N", description = "Default: the model's.")
  private Integer steps;

  @Option(
      names = "--scheduler",
      paramLabel = "NAME",
      description = "Solver (see diffusion4j schedulers). Default: the model's.")
  private String scheduler;

  @Mixin private GuidanceArguments guidance;

  @Option(
      names = "--eta",
      paramLabel = "0..1",
      description = "Noise that DDIM adds in each step. Default: the solver's.")
  private Double eta;

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      split = ",",
      description =
          "One seed, which counts up for further pictures, or one for each, with commas between."
              + " Default, and -1: a random one.")
  private List<Long> seeds = List.of();

  @Option(
      names = {"-c", "--count"},
      paramLabel = "N",
      description =
          "Pictures of each prompt; each is painted alone and equals the picture of its seed."
              + " Default: 1, or the number of seeds.")
  private Integer count;

  @Option(
      names = "--variation-seed",
      paramLabel = "N",
      description = "Turn the first noise towards that of this seed: a picture alike.")
  private Long variationSeed;

  @Option(
      names = "--variation-strength",
      paramLabel = "0..1",
      description = "How far: 0 is the seed's own picture, 1 the other's. Default: 0.1.")
  private Double variationStrength;

  @Option(
      names = "--clip-skip",
      paramLabel = "LAYERS",
      description = "Layers of CLIP text encoders to leave out at the end. Default: 0.")
  private Integer clipSkip;

  @Option(
      names = "--noise",
      paramLabel = "KIND",
      converter = NoiseConverter.class,
      description =
          "Random numbers that a seed stands for: torch-cpu, torch-cuda, numpy, numpy-pcg64."
              + " Default: torch-cpu.")
  private NoiseKind noise;

  @Option(
      names = "--lora",
      paramLabel = "FILE[:SCALE]",
      description =
          "Paint with a LoRA (safetensors); may be given again, then they add up. Default SCALE: 1.")
  private List<String> loras = List.of();

  @Option(
      names = "--feature-reuse",
      paramLabel = "N",
      description =
          "Run the whole UNet in every N-th evaluation only, and its first and last layers on kept"
              + " features in the others: faster, another picture. For models of safetensors."
              + " Default: 1, which is off.")
  private Integer featureReuse;

  @Option(
      names = "--feature-reuse-branch",
      paramLabel = "N",
      description =
          "How many layers those evaluations run on the way down beside the first convolution."
              + " Default: 0.")
  private Integer featureReuseBranch;

  @Option(
      names = "--one-by-one",
      description = "Run the two branches of guidance one after the other: less memory, slower.")
  private Boolean oneByOne;

  /** Changes what is given here. */
  void change(GenerationRequestBuilder builder) {
    Optional.ofNullable(negative).ifPresent(builder::negativePrompt);
    Optional.ofNullable(width).ifPresent(builder::width);
    Optional.ofNullable(height).ifPresent(builder::height);
    Optional.ofNullable(steps).ifPresent(builder::steps);
    Optional.ofNullable(scheduler).ifPresent(builder::scheduler);
    guidance.change(builder);
    if (variationStrength != null && variationSeed == null) {
      throw new IllegalArgumentException("--variation-strength needs --variation-seed");
    }
    if (variationSeed != null) {
      double strength = variationStrength == null ? VARIATION_STRENGTH : variationStrength;
      builder.init(new Variation(variationSeed, strength));
    }
    if (!loras.isEmpty()) {
      builder.loras(loras.stream().map(LoraOption::parse).toArray(Lora[]::new));
    }
    Optional.ofNullable(eta).ifPresent(builder::eta);
    Optional.ofNullable(noise).ifPresent(builder::noiseKind);
    Optional.ofNullable(oneByOne)
        .map(alone -> alone ? BranchBatching.ONE_BY_ONE : BranchBatching.TOGETHER)
        .ifPresent(builder::batching);
  }

  /** The options as they were, with what is given here changed. */
  TextOptions change(TextOptions text) {
    return clipSkip == null ? text : text.withClipSkip(clipSkip);
  }

  /**
   * The reuse as it was, with what is given here changed. Turned off, it forgets its branch; a
   * branch alone may come before what turns it on.
   */
  FeatureReuse change(FeatureReuse reuse) {
    FeatureReuse changed = reuse;
    if (featureReuse != null) {
      changed = new FeatureReuse(featureReuse, featureReuse > 1 ? reuse.branch() : 0);
    }
    return featureReuseBranch == null
        ? changed
        : new FeatureReuse(changed.interval(), featureReuseBranch);
  }

  /** The reuse, where it is on or none of its parts is asked for. */
  static FeatureReuse checked(FeatureReuse reuse) {
    if (!reuse.isOn() && reuse.branch() > 0) {
      throw new IllegalArgumentException(
          "--feature-reuse-branch needs --feature-reuse of at least 2");
    }
    return reuse;
  }

  /** The seeds asked for. */
  SeedChoice seeds() {
    return new SeedChoice(seeds, count == null ? OptionalInt.empty() : OptionalInt.of(count));
  }

  /** Reads a kind of noise. */
  static final class NoiseConverter implements ITypeConverter<NoiseKind> {
    @Override
    public NoiseKind convert(String text) {
      try {
        return NoiseKind.of(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
