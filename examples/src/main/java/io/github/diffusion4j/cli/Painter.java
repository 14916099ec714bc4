package io.github.diffusion4j.cli;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.image.Png;
import io.github.diffusion4j.pipeline.GenerationResult;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Paints one picture after the other and saves each as soon as it is done, while the next one is
 * being painted.
 *
 * @param pipeline paints
 * @param listener told of every step
 * @param progress where a line about a picture must not meet the bar
 * @param writer saves
 * @param session where finished pictures are told
 * @param output what else is wanted
 * @param names where pictures go
 * @param preview shows them while they are painted
 * @param task adds to a request what the command begins with
 */
record Painter(
    StableDiffusionPipeline pipeline,
    StepListener listener,
    StepProgress progress,
    PictureWriter writer,
    Session session,
    OutputOptions output,
    OutputNames names,
    Optional<PreviewFile> preview,
    UnaryOperator<GenerationRequest> task) {

  /**
   * Paints one picture; it is saved, and told, some steps later.
   *
   * @param then follows the saving
   */
  void paint(Report report, Job asked, Supplier<Path> target, Saved then) throws IOException {
    Job job = new Job(task.apply(asked.request()), asked.image());
    Optional<Path> named = preview.map(shown -> target.get());
    named.ifPresent(path -> preview.get().begin(path, job.image()));
    GenerationResult result = pipeline.generate(job.request(), settling(), session.cancel());
    Path file = named.orElseGet(target);
    BufferedImage image = result.images().get(job.image());
    writer.submit(
        () -> PictureFile.write(image, result.provenance().texts(job.image()), file),
        failure -> {
          if (failure.isEmpty()) {
            if (preview.isPresent()) {
              preview.get().end(file);
            }
            Report.Picture picture =
                new Report.Picture(
                    job, file, image.getWidth(), image.getHeight(), result.provenance());
            report.add(picture, output.wantsGrid() ? List.of(image) : List.of());
            tell(picture.line());
          }
          then.saved(file, failure);
        });
  }

  /** What follows the saving of a picture. */
  @FunctionalInterface
  interface Saved {

    /** A picture that cannot be saved ends the run. */
    Saved STRICT = (file, failure) -> PictureWriter.Completion.STRICT.written(failure);

    /**
     * Told once the file is whole, or not there.
     *
     * @param file the picture's
     * @param failure why it is not there
     * @throws IOException ends the run
     */
    void saved(Path file, Optional<IOException> failure) throws IOException;
  }

  /** The listener, which between steps sees to the pictures that have been written meanwhile. */
  private StepListener settling() {
    return new Listeners(List.of(new Settling(writer), listener));
  }

  private record Settling(PictureWriter writer) implements StepListener {

    @Override
    public void onStart(StepEvent event) {
      settle();
    }

    @Override
    public void onStep(StepEvent event) {
      settle();
    }

    private void settle() {
      try {
        writer.settle();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Writes what holds all pictures: the sheet and the latents. */
  void writeTogether(Report report, LatentRecording latents) throws IOException {
    writer.finish();
    if (output.wantsGrid()) {
      List<BufferedImage> images = report.images();
      int columns = (int) Math.ceil(Math.sqrt(images.size()));
      Path sheet = names.sheet(report.first().job());
      String parameters = report.first().provenance().parameters(0).format();
      PictureFile.write(Images.grid(images, columns, 0), Map.of(Png.PARAMETERS, parameters), sheet);
      report.grid(sheet);
      tell(sheet + "  (all " + images.size() + ")");
    }
    if (output.latents().isPresent()) {
      Path file = output.latents().get();
      SafetensorsWriter writer = latents.tensors();
      report.metadata().forEach(writer::metadata);
      writer.write(file);
      report.latents(file);
      tell(file + "  (latents)");
    }
  }

  private void tell(String line) {
    if (!output.quiet() && !output.json()) {
      progress.aside(
          () -> {
            session.out().println(line);
            session.out().flush();
          });
    }
  }
}
