package io.github.diffusion4j.cli;

import io.github.diffusion4j.DiffusionException;
import io.github.diffusion4j.GenerationCancelledException;
import java.io.IOException;
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
    Count failed = new Count();
    for (BatchPicture picture : pictures) {
      long start = System.nanoTime();
      Job job = picture.job();
      try {
        painter.paint(
            report,
            job,
            () -> picture.target().orElseGet(() -> painter.names().next(job)),
            (file, failure) -> {
              if (failure.isPresent()) {
                failed.add(painter, picture, failure.get());
              } else {
                manifest.painted(
                    picture, file, Math.round((System.nanoTime() - start) / 1e6) / 1e3);
              }
            });
      } catch (GenerationCancelledException e) {
        throw e;
      } catch (DiffusionException | IllegalArgumentException e) {
        failed.add(painter, picture, e);
      }
    }
    painter.writer().finish();
    return failed.pictures;
  }

  /** Counts and notes pictures that failed. */
  private final class Count {

    private int pictures;

    <E extends Exception> void add(Painter painter, BatchPicture picture, E failure)
        throws E, IOException {
      manifest.failed(picture, String.valueOf(failure.getMessage()));
      if (together) {
        throw failure;
      }
      pictures++;
      painter.session().note("line " + picture.line() + ": " + failure.getMessage());
    }
  }
}
