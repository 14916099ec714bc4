package io.github.diffusion4j.cli;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;

/** What every command that paints has in common: its options and its course. */
final class PaintOptions {

  @Mixin private RequestOptions request;
  @Mixin private ModelOptions model;
  @Mixin private OutputOptions output;

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
  }

  int run(Session session, RootCommand root, Task task) throws IOException {
    StartTimes times = new StartTimes(session);
    List<Job> jobs = request.jobs();
    OutputNames names = output.check();
    Path folder = model.folder();
    mark(root, times, "options read");
    long start = System.nanoTime();
    LatentRecording latents = new LatentRecording();
    try (StableDiffusionPipeline pipeline =
            StableDiffusionPipeline.load(folder, model.runtime(), request.inversions());
        StepProgress progress = new StepProgress(session, jobs.size())) {
      mark(root, times, "model open");
      double loadSeconds = (System.nanoTime() - start) / 1e9;
      List<StepListener> listeners = new ArrayList<>();
      if (session.screen().terminal() && !output.quiet()) {
        listeners.add(progress);
      }
      output.latents().ifPresent(file -> listeners.add(latents));
      if (root.debug()) {
        listeners.add(times);
      }
      Painter painter = new Painter(pipeline, new Listeners(listeners), session, output, names);
      List<Job> tasks =
          jobs.stream().map(job -> new Job(task.of(job.request(), pipeline), job.image())).toList();
      Report report = painter.paint(tasks);
      painter.writeTogether(report, latents);
      if (output.json()) {
        session.out().println(report.json(loadSeconds, (System.nanoTime() - start) / 1e9));
        session.out().flush();
      }
    }
    mark(root, times, "done");
    return 0;
  }

  private static void mark(RootCommand root, StartTimes times, String what) {
    if (root.debug()) {
      times.mark(what);
    }
  }
}
