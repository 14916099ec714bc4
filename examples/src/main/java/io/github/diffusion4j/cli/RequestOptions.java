package io.github.diffusion4j.cli;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.TextualInversion;
import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.pipeline.Provenance;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.LongStream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** What to paint. What is not given is left to the model, or to the picture painted again. */
final class RequestOptions {

  @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "What to paint.")
  private String prompt;

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

  @Option(
      names = {"-g", "--guidance"},
      paramLabel = "SCALE",
      description = "Guidance by the prompt, on above 1. Default: the model's.")
  private Double guidance;

  @Option(
      names = "--guidance-rescale",
      paramLabel = "0..1",
      description = "Gives back the contrast that strong guidance takes. Default: 0.")
  private Double guidanceRescale;

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
              + " Default: a random one.")
  private List<Long> seeds = List.of();

  @Option(
      names = {"-c", "--count"},
      paramLabel = "N",
      description =
          "Pictures of each prompt; each is painted alone and equals the picture of its seed."
              + " Default: 1, or the number of seeds.")
  private Integer count;

  @Option(
      names = "--batch-file",
      paramLabel = "FILE",
      description = "Paint every line of this text file as a prompt.")
  private Path batchFile;

  @Option(
      names = "--clip-skip",
      paramLabel = "LAYERS",
      description = "Layers of CLIP text encoders to leave out at the end. Default: 0.")
  private Integer clipSkip;

  @Mixin private PromptArguments arguments;

  @Option(
      names = "--noise",
      paramLabel = "KIND",
      converter = NoiseConverter.class,
      description =
          "Random numbers that a seed stands for: torch-cpu, torch-cuda, numpy, numpy-pcg64."
              + " Default: torch-cpu.")
  private NoiseKind noise;

  @Option(
      names = "--one-by-one",
      description = "Run the two branches of guidance one after the other: less memory, slower.")
  private boolean oneByOne;

  @Option(
      names = "--from",
      paramLabel = "PNG",
      description =
          "Paint a picture again from what its file says; other options change single things.")
  private Path from;

  /** The words that the model is taught before it paints. */
  List<TextualInversion> inversions() throws IOException {
    return arguments.inversions();
  }

  /** The pictures to paint, each a generation of its own. */
  List<Job> jobs() throws IOException {
    int sources = (prompt == null ? 0 : 1) + (batchFile == null ? 0 : 1);
    if (sources == 2 || sources == 0 && from == null) {
      throw new IllegalArgumentException(
          "expected a PROMPT, --batch-file FILE or --from PNG, got "
              + (sources == 2 ? "a PROMPT and --batch-file" : "none of them")
              + " (see --help)");
    }
    if (count != null && count < 1) {
      throw new IllegalArgumentException("--count must be at least 1, got " + count);
    }
    if (from == null) {
      return jobs(prompts(), Optional.empty());
    }
    GenerationRequest painted = Provenance.readRequest(from);
    if (painted.images() > 1) {
      return List.of(together(painted));
    }
    return jobs(sources == 0 ? painted.prompts() : prompts(), Optional.of(painted));
  }

  /** A picture that was painted together with others from one stream of noise. */
  private Job together(GenerationRequest painted) throws IOException {
    if (prompt != null || batchFile != null || count != null || !seeds.isEmpty()) {
      throw new IllegalArgumentException(
          from
              + " was painted together with others from one seed; it can be painted again, but not"
              + " with another prompt, seed or count");
    }
    return new Job(change(painted.toBuilder(), painted.text()).build(), Provenance.readIndex(from));
  }

  private List<Job> jobs(List<String> prompts, Optional<GenerationRequest> painted) {
    List<Long> chosen = seeds(painted);
    List<Job> jobs = new ArrayList<>();
    for (String text : prompts) {
      for (long seed : chosen) {
        jobs.add(new Job(request(text, painted).seed(seed).build(), 0));
      }
    }
    return jobs;
  }

  private GenerationRequest.Builder request(String text, Optional<GenerationRequest> painted) {
    GenerationRequest.Builder builder = GenerationRequest.prompt(text);
    painted.ifPresent(
        old -> builder.like(old).negativePrompt(old.negativePrompts().toArray(String[]::new)));
    return change(builder, painted.map(GenerationRequest::text).orElse(TextOptions.DEFAULT));
  }

  private GenerationRequest.Builder change(GenerationRequest.Builder builder, TextOptions painted) {
    TextOptions text = arguments.change(painted);
    builder.text(clipSkip == null ? text : text.withClipSkip(clipSkip));
    Optional.ofNullable(negative).ifPresent(builder::negativePrompt);
    Optional.ofNullable(width).ifPresent(builder::width);
    Optional.ofNullable(height).ifPresent(builder::height);
    Optional.ofNullable(steps).ifPresent(builder::steps);
    Optional.ofNullable(scheduler).ifPresent(builder::scheduler);
    Optional.ofNullable(guidance).ifPresent(builder::guidanceScale);
    Optional.ofNullable(guidanceRescale).ifPresent(builder::guidanceRescale);
    Optional.ofNullable(eta).ifPresent(builder::eta);
    Optional.ofNullable(noise).ifPresent(builder::noiseKind);
    return oneByOne ? builder.batching(BranchBatching.ONE_BY_ONE) : builder;
  }

  private List<String> prompts() throws IOException {
    if (batchFile == null) {
      return List.of(prompt);
    }
    try {
      List<String> lines =
          Files.readAllLines(batchFile).stream().filter(l -> !l.isBlank()).toList();
      if (lines.isEmpty()) {
        throw new IllegalArgumentException(batchFile + " has no line with a prompt");
      }
      return lines;
    } catch (CharacterCodingException e) {
      throw new IOException(batchFile + " is not a text file in UTF-8", e);
    }
  }

  private List<Long> seeds(Optional<GenerationRequest> painted) {
    int pictures = count == null ? Math.max(1, seeds.size()) : count;
    if (seeds.size() > 1 && seeds.size() != pictures) {
      throw new IllegalArgumentException(
          "expected one seed, or one for each of the "
              + pictures
              + " pictures, got "
              + seeds.size());
    }
    if (seeds.size() == pictures) {
      return seeds;
    }
    long first =
        seeds.isEmpty()
            ? painted
                .map(old -> old.seeds().get(0))
                .orElseGet(() -> ThreadLocalRandom.current().nextLong(1L << 32))
            : seeds.get(0);
    return LongStream.range(0, pictures).map(k -> first + k).boxed().toList();
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
