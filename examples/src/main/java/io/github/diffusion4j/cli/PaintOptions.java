package io.github.diffusion4j.cli;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import io.github.diffusion4j.task.Variation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** What every command that paints has in common: its options and its course. */
final class PaintOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Mixin private RequestOptions request;
  @Mixin private ModelOptions model;
  @Mixin private OutputOptions output;
  @Mixin private PreviewOptions previews;

  /** Makes a command's task of a request. */
  @FunctionalInterface
  interface Task {

    /**
     * Adds what the command begins with.
     *
     * @param request what the options say
     * @param pipeline the open model
     */
    GenerationRequest of(GenerationRequest request, StableDiffusionPipeline pipeline);

    /**
     * Adds what the command opens beside the model.
     *
     * @param model the folder as the options name it
     * @return the same, or with more
     */
    default ModelLayout layout(ModelLayout model) {
      return model;
    }
  }

  int run(Session session, RootCommand root, Task task) throws IOException {
    StartTimes times = new StartTimes(session);
    request.check();
    previews.check();
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
        tellSkipped(session, batch.get());
        return 0;
      }
    }
    mark(root, times, "options read");
    long start = System.nanoTime();
    LatentRecording latents = new LatentRecording();
    int failed;
    try (StableDiffusionPipeline pipeline =
            StableDiffusionPipeline.load(
                task.layout(model.layout().with(request.inversions())), model.runtime());
        Closer owned = new Closer();
        StepProgress progress =
            new StepProgress(session, batch.map(run -> run.pictures().size()).orElse(jobs.size()));
        PictureWriter writer = new PictureWriter()) {
      mark(root, times, "model open");
      double loadSeconds = (System.nanoTime() - start) / 1e9;
      Optional<PreviewFile> preview =
          previews.open(pipeline, model.runtime(), session).map(owned::own);
      List<StepListener> listeners = listeners(session.screen(), progress, latents);
      preview.ifPresent(listeners::add);
      if (root.debug()) {
        listeners.add(times);
      }
      Painter painter =
          new Painter(
              pipeline,
              new Listeners(listeners),
              progress,
              writer,
              session,
              output,
              names,
              preview,
              asked -> varied(asked, task.of(asked, pipeline)));
      Report report = new Report(pipeline.facts());
      failed = paint(painter, report, jobs, batch);
      painter.writeTogether(report, latents);
      if (output.json()) {
        session.out().println(report.json(loadSeconds, (System.nanoTime() - start) / 1e9));
        session.out().flush();
      }
    }
    mark(root, times, "done");
    return failed == 0 ? 0 : Errors.FAILED;
  }

  /** A variation that is asked for, of what the command begins with. */
  private static GenerationRequest varied(GenerationRequest asked, GenerationRequest task) {
    return asked.init() instanceof Variation variation && task.init() != variation
        ? task.toBuilder()
            .init(new Variation(task.init(), variation.seeds(), variation.strength()))
            .build()
        : task;
  }

  private List<StepListener> listeners(
      Screen screen, StepProgress progress, LatentRecording latents) {
    List<StepListener> listeners = new ArrayList<>();
    if (screen.terminal() && !output.quiet()) {
      listeners.add(progress);
    }
    output.latents().ifPresent(file -> listeners.add(latents));
    return listeners;
  }

  /** Paints everything and tells how many pictures failed. */
  private int paint(Painter painter, Report report, List<Job> jobs, Optional<BatchRun> batch)
      throws IOException {
    for (Job job : jobs) {
      painter.paint(report, job, () -> painter.names().next(job), Painter.Saved.STRICT);
    }
    if (batch.isEmpty()) {
      return 0;
    }
    BatchRun run = batch.get();
    if (!output.json()) {
      tellSkipped(painter.session(), run);
    }
    int failed = run.paint(painter, report);
    report.batch(run.painted(), failed);
    if (failed > 0) {
      painter
          .session()
          .note(failed + " of " + run.pictures().size() + " failed, see " + run.manifest().file());
    }
    return failed;
  }

  private void tellSkipped(Session session, BatchRun run) {
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

  private static void mark(RootCommand root, StartTimes times, String what) {
    if (root.debug()) {
      times.mark(what);
    }
  }
}
