package io.github.diffusion4j.cli;

import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.TextualInversion;
import io.github.diffusion4j.pipeline.Provenance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What to paint. What is not given is left to the model, or to the picture painted again. */
final class RequestOptions {

  @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "What to paint.")
  private String prompt;

  @Mixin private PictureOptions picture;

  @Option(
      names = "--batch-file",
      paramLabel = "FILE",
      description =
          "Paint every line of this file: .jsonl (an object a line) or .csv (with a header), keys"
              + " prompt, out and options without dashes; else text, a prompt a line. Called again,"
              + " it goes on where it stopped.")
  private Path batchFile;

  @Option(
      names = "--manifest",
      paramLabel = "FILE",
      description =
          "What has become of each picture of the batch file, as JSON Lines. Default:"
              + " manifest.jsonl in the pictures' folder.")
  private Path manifest;

  @Mixin private TemplateOptions templates;

  @Mixin private PromptArguments arguments;

  @Option(
      names = "--from",
      paramLabel = "PNG",
      description =
          "Paint a picture again from what its file says; other options change single things.")
  private Path from;

  /** What the picture to be painted again says; read when it is first asked for. */
  private GenerationRequest again;

  /** The words that the model is taught before it paints. */
  List<TextualInversion> inversions() throws IOException {
    return arguments.inversions();
  }

  /** The file of prompts and options to paint, where there is one. */
  Optional<Path> batchFile() {
    return Optional.ofNullable(batchFile);
  }

  /** Where the manifest of a batch file goes, if not beside the pictures. */
  Optional<Path> manifest() {
    return Optional.ofNullable(manifest);
  }

  /** Checks which of the sources are given. */
  void check() {
    int sources = (prompt == null ? 0 : 1) + (batchFile == null ? 0 : 1);
    if (sources == 2 || sources == 0 && from == null) {
      throw new IllegalArgumentException(
          "expected a PROMPT, --batch-file FILE or --from PNG, got "
              + (sources == 2 ? "a PROMPT and --batch-file" : "none of them")
              + " (see --help)");
    }
    if (manifest != null && batchFile == null) {
      throw new IllegalArgumentException("--manifest is for --batch-file, which is not given");
    }
    if (sources == 0 && templates.wanted()) {
      throw new IllegalArgumentException(
          "--templates, --wildcards and --matrix need a PROMPT or --batch-file; the prompt of "
              + from
              + " is taken as it is");
    }
  }

  /** The pictures of the prompt or of the picture painted again, each a generation of its own. */
  List<Job> jobs() throws IOException {
    Optional<GenerationRequest> painted = painted();
    if (painted.isPresent() && painted.get().images() > 1) {
      return List.of(together(painted.get()));
    }
    SeedChoice choice = picture.seeds();
    List<Long> seeds = choice.list(() -> choice.random() ? randomSeed() : firstSeed(painted));
    List<Job> jobs = new ArrayList<>();
    for (String text : prompt == null ? painted.orElseThrow().prompts() : List.of(prompt)) {
      for (long seed : seeds) {
        for (String drawn : templates.expand(text, seed)) {
          jobs.add(new Job(request(drawn, painted, List.of()).seed(seed).build(), 0));
        }
      }
    }
    return jobs;
  }

  /** The pictures of a batch file's line; the first seed comes from elsewhere if none is given. */
  List<Job> jobs(BatchLine line, Batch.Seeds first) throws IOException {
    Optional<GenerationRequest> painted = painted();
    if (painted.isPresent() && painted.get().images() > 1) {
      return List.of(together(painted.get()));
    }
    SeedChoice choice = line.options().seeds().over(picture.seeds());
    List<Job> jobs = new ArrayList<>();
    for (long seed :
        choice.list(
            () ->
                painted.isPresent() && !choice.random()
                    ? firstSeed(painted)
                    : first.of(line.number(), RequestOptions::randomSeed))) {
      for (String drawn : templates.expand(line.prompt(), seed)) {
        GenerationRequestBuilder request = request(drawn, painted, List.of(line.options()));
        jobs.add(new Job(request.seed(seed).build(), 0));
      }
    }
    return jobs;
  }

  private Optional<GenerationRequest> painted() throws IOException {
    if (from != null && again == null) {
      again = Provenance.readRequest(from);
    }
    return Optional.ofNullable(again);
  }

  private static long firstSeed(Optional<GenerationRequest> painted) {
    return painted.map(old -> old.seeds().get(0)).orElseGet(RequestOptions::randomSeed);
  }

  private static long randomSeed() {
    return ThreadLocalRandom.current().nextLong(1L << 32);
  }

  /** A picture that was painted together with others from one stream of noise. */
  private Job together(GenerationRequest painted) throws IOException {
    if (prompt != null || batchFile != null || !picture.seeds().isEmpty()) {
      throw new IllegalArgumentException(
          from
              + " was painted together with others from one seed; it can be painted again, but not"
              + " with another prompt, seed or count");
    }
    GenerationRequest request =
        change(painted.toBuilder(), Optional.of(painted), List.of()).build();
    return new Job(request, Provenance.readIndex(from));
  }

  private GenerationRequestBuilder request(
      String text, Optional<GenerationRequest> painted, List<LineOptions> line) {
    GenerationRequestBuilder builder = GenerationRequest.prompt(text);
    painted.ifPresent(
        old -> builder.like(old).negativePrompt(old.negativePrompts().toArray(String[]::new)));
    return change(builder, painted, line);
  }

  /** Changes what the command line says, then what the batch file's line says, if there is one. */
  private GenerationRequestBuilder change(
      GenerationRequestBuilder builder,
      Optional<GenerationRequest> painted,
      List<LineOptions> line) {
    TextOptions text = painted.map(GenerationRequest::text).orElse(TextOptions.DEFAULT);
    FeatureReuse reuse = painted.map(GenerationRequest::featureReuse).orElse(FeatureReuse.OFF);
    picture.change(builder);
    text = picture.change(arguments.change(text));
    reuse = picture.change(reuse);
    for (LineOptions options : line) {
      options.change(builder);
      text = options.change(text);
      reuse = options.change(reuse);
    }
    return builder.text(text).featureReuse(PictureOptions.checked(reuse));
  }
}
