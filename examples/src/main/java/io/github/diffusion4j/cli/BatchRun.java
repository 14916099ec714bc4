package io.github.diffusion4j.cli;

import io.github.diffusion4j.DiffusionException;
import io.github.diffusion4j.GenerationCancelledException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What is left of a batch file, and the manifest that keeps count.
 *
 * @param pictures to paint
 * @param painted how many need not be painted, as they are there
 * @param manifest told of every picture
 * @param together whether all pictures end in one file, so that none may fail
 */
record BatchRun(List<BatchPicture> pictures, int painted, Manifest manifest, boolean together) {

  /** Copies the list. */
  BatchRun {
    pictures = List.copyOf(pictures);
  }

  /** Finds what is left to paint; nothing is skipped where all pictures end in one file. */
  static BatchRun of(Batch batch, OutputNames names, OutputOptions output) throws IOException {
    Manifest manifest = batch.manifest(names.folder());
    List<BatchPicture> all = batch.pictures(names, manifest);
    boolean together = output.wantsGrid() || output.latents().isPresent();
    if (together) {
      checkAlike(all, output);
      return new BatchRun(all, 0, manifest, true);
    }
    List<BatchPicture> left =
        all.stream().filter(picture -> !manifest.has(picture, names.folder())).toList();
    return new BatchRun(left, all.size() - left.size(), manifest, false);
  }

  private static void checkAlike(List<BatchPicture> all, OutputOptions output) {
    boolean latents = output.latents().isPresent();
    long kinds =
        all.stream()
            .map(picture -> picture.job().request())
            .map(
                request ->
                    latents
                        ? List.of(
                            request.width(), request.height(), request.plan(), request.scheduler())
                        : List.of(request.width(), request.height()))
            .distinct()
            .count();
    if (kinds > 1) {
      throw new IllegalArgumentException(
          latents
              ? "--save-latents: all lines must have the same size, steps and scheduler"
              : "--grid: all lines must have the same size");
    }
  }

  /** Paints what is left and tells how many pictures failed. */
  int paint(Painter painter, Report report) throws IOException {
    int failed = 0;
    for (BatchPicture picture : pictures) {
      long start = System.nanoTime();
      Path file;
      try {
        file = paint(painter, report, picture);
      } catch (GenerationCancelledException e) {
        throw e;
      } catch (DiffusionException | IllegalArgumentException | IOException e) {
        manifest.failed(picture, String.valueOf(e.getMessage()));
        if (together) {
          throw e;
        }
        failed++;
        painter.session().note("line " + picture.line() + ": " + e.getMessage());
        continue;
      }
      manifest.painted(picture, file, Math.round((System.nanoTime() - start) / 1e6) / 1e3);
    }
    return failed;
  }

  private static Path paint(Painter painter, Report report, BatchPicture picture)
      throws IOException {
    Job job = picture.job();
    return painter.paint(
        report, job, () -> picture.target().orElseGet(() -> painter.names().next(job)));
  }
}
