package io.github.diffusion4j.task;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.PictureSource;
import io.github.diffusion4j.scheduler.SchedulerRun;
import java.awt.image.BufferedImage;
import java.util.List;

/** An inpainting under way: what the two kinds of model have in common is how it ends. */
sealed interface InpaintStart extends Init.Start {

  InpaintScene scene();

  @Override
  default PictureSource view(PictureSource pictures) {
    return scene().view(pictures);
  }

  @Override
  default List<BufferedImage> finish(List<BufferedImage> images) {
    return scene().finish(images);
  }

  /**
   * An ordinary denoiser: the known part is put back after each step.
   *
   * @param clean latents of the picture
   * @param noise that noises them
   * @param cells 1 where a latent cell is painted, else 0; the same for all channels
   */
  record Blending(
      InpaintScene scene,
      float[] latents,
      float[] clean,
      float[] noise,
      float[] cells,
      float[] known)
      implements InpaintStart {

    Blending(InpaintScene scene, float[] latents, float[] clean, float[] noise, float[] cells) {
      this(scene, latents, clean, noise, cells, new float[clean.length]);
    }

    @Override
    public void blend(SchedulerRun run, float[] x) {
      run.addNoise(clean, noise, known);
      for (int from = 0; from < x.length; from += cells.length) {
        for (int i = 0; i < cells.length; i++) {
          x[from + i] = (1 - cells[i]) * known[from + i] + cells[i] * x[from + i];
        }
      }
    }
  }

  /**
   * A denoiser that sees the mask and the masked picture.
   *
   * @param known latents of the masked picture
   * @param cells 1 where a latent cell is painted, else 0
   */
  record Seeing(
      InpaintScene scene, float[] latents, float[] known, float[] cells, LatentShape shape)
      implements InpaintStart {

    @Override
    public Conditioning condition(Conditioning prompts) {
      int rows = prompts.branches() * shape.batch();
      int row = cells.length + shape.elements();
      float[] channels = new float[rows * row];
      for (int i = 0; i < rows; i++) {
        System.arraycopy(cells, 0, channels, i * row, cells.length);
        System.arraycopy(
            known,
            i % shape.batch() * shape.elements(),
            channels,
            i * row + cells.length,
            shape.elements());
      }
      return prompts.with(
          new Conditioning.Input(
              Conditioning.EXTRA_CHANNELS,
              channels,
              List.of(1 + shape.channels(), shape.height(), shape.width())));
    }
  }
}
