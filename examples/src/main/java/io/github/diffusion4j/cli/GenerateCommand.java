package io.github.diffusion4j.cli;

import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Paints pictures. */
@Command(
    name = "generate",
    description = "Paint pictures from a prompt.",
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  diffusion4j generate \"a red apple on a light blue background\" --seed 42",
      "  diffusion4j generate \"a fox\" --count 4 --seed 7 --grid --out foxes/",
      "  diffusion4j generate --batch-file prompts.jsonl --out pictures/",
      "  diffusion4j generate --from a-fox-7.png --steps 50"
    })
final class GenerateCommand implements Callable<Integer> {

  private final Session session;

  @Spec private CommandSpec spec;
  @ParentCommand private RootCommand root;
  @Mixin private RequestOptions request;
  @Mixin private ModelOptions model;
  @Mixin private OutputOptions output;

  GenerateCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    StartTimes times = new StartTimes(session);
    request.check();
    Optional<Batch> file =
        request.batchFile().isPresent()
            ? Optional.of(Batch.read(request, given()))
            : Optional.empty();
    List<Job> jobs = file.isPresent() ? List.of() : request.jobs();
    OutputNames names = output.check();
    Optional<BatchRun> batch = Optional.empty();
    if (file.isPresent()) {
      batch = Optional.of(BatchRun.of(file.get(), names, output));
      if (batch.get().pictures().isEmpty() && !output.json()) {
        tellSkipped(batch.get());
        return 0;
      }
    }
    Path folder = model.folder();
    mark(times, "options read");
    long start = System.nanoTime();
    LatentRecording latents = new LatentRecording();
    int failed;
    try (StableDiffusionPipeline pipeline =
            StableDiffusionPipeline.load(folder, model.runtime(), request.inversions());
        StepProgress progress =
            new StepProgress(
                session, batch.map(run -> run.pictures().size()).orElse(jobs.size()))) {
      mark(times, "model open");
      double loadSeconds = (System.nanoTime() - start) / 1e9;
      Listeners listeners = new Listeners(listeners(progress, latents, times));
      Painter painter = new Painter(pipeline, listeners, session, output, names);
      Report report = new Report(pipeline.facts());
      failed = paint(painter, report, jobs, batch);
      painter.writeTogether(report, latents);
      if (output.json()) {
        session.out().println(report.json(loadSeconds, (System.nanoTime() - start) / 1e9));
        session.out().flush();
      }
    }
    mark(times, "done");
    return failed == 0 ? 0 : Errors.FAILED;
  }

  private List<StepListener> listeners(
      StepProgress progress, LatentRecording latents, StartTimes times) {
    List<StepListener> listeners = new ArrayList<>();
    if (session.screen().terminal() && !output.quiet()) {
      listeners.add(progress);
    }
    output.latents().ifPresent(file -> listeners.add(latents));
    if (root.debug()) {
      listeners.add(times);
    }
    return listeners;
  }

  /** Paints everything and tells how many pictures failed. */
  private int paint(Painter painter, Report report, List<Job> jobs, Optional<BatchRun> batch)
      throws IOException {
    for (Job job : jobs) {
      painter.paint(report, job, () -> painter.names().next(job));
    }
    if (batch.isEmpty()) {
      return 0;
    }
    BatchRun run = batch.get();
    if (!output.json()) {
      tellSkipped(run);
    }
    int failed = run.paint(painter, report);
    report.batch(run.painted(), failed);
    if (failed > 0) {
      session.note(
          failed + " of " + run.pictures().size() + " failed, see " + run.manifest().file());
    }
    return failed;
  }

  private void tellSkipped(BatchRun run) {
    if (run.painted() > 0 && !output.quiet()) {
      session.note(run.painted() + " there already, see " + run.manifest().file());
    }
  }

  /** The options on the command line, by their long names without dashes. */
  private Map<String, String> given() throws IOException {
    Map<String, String> given = new TreeMap<>();
    given.put("model", String.valueOf(model.folder().getFileName()));
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      given.put(option.longestName().substring(2), String.join(",", option.originalStringValues()));
    }
    return given;
  }

  private void mark(StartTimes times, String what) {
    if (root.debug()) {
      times.mark(what);
    }
  }
}
