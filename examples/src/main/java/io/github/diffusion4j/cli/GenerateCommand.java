package io.github.diffusion4j.cli;

import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

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
      "  diffusion4j generate --from a-fox-7.png --steps 50"
    })
final class GenerateCommand implements Callable<Integer> {

  private final Session session;

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
    List<Job> jobs = request.jobs();
    OutputNames names = output.check();
    Path folder = model.folder();
    mark(times, "options read");
    long start = System.nanoTime();
    LatentRecording latents = new LatentRecording();
    try (StableDiffusionPipeline pipeline =
            StableDiffusionPipeline.load(folder, model.runtime(), request.inversions());
        StepProgress progress = new StepProgress(session, jobs.size())) {
      mark(times, "model open");
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
      Report report = painter.paint(jobs);
      painter.writeTogether(report, latents);
      if (output.json()) {
        session.out().println(report.json(loadSeconds, (System.nanoTime() - start) / 1e9));
        session.out().flush();
      }
    }
    mark(times, "done");
    return 0;
  }

  private void mark(StartTimes times, String what) {
    if (root.debug()) {
      times.mark(what);
    }
  }
}
