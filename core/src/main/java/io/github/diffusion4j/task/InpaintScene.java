package io.github.diffusion4j.task;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.PictureSource;
import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.image.Masks;
import io.github.diffusion4j.image.Resampling;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is painted of a picture: all of it, or a region around the mask, at the size of the
 * painting.
 *
 * @param inpaint the task
 * @param region the region; empty for the whole picture
 * @param pictures what is encoded, [-1, 1]
 * @param mask 1 where a pixel is painted, else 0
 */
record InpaintScene(Inpaint inpaint, Optional<Region> region, ImageTensor pictures, float[] mask) {

  static InpaintScene of(Inpaint inpaint, int width, int height) {
    BufferedImage mask = inpaint.mask().image();
    Optional<Region> region =
        inpaint.options().crop().isPresent()
            ? Optional.of(
                Region.around(mask, inpaint.options().crop().getAsInt())
                    .inProportion(width, height, mask.getWidth(), mask.getHeight()))
            : Optional.empty();
    Pictures pictures = inpaint.pictures();
    if (inpaint.options().fill() == Inpaint.Fill.SURROUNDINGS) {
      pictures =
          Pictures.of(
              pictures.images().stream().map(image -> Surroundings.fill(image, mask)).toList());
    }
    if (region.isEmpty()) {
      return new InpaintScene(
          inpaint,
          region,
          pictures.tensor(width, height, Resampling.LANCZOS),
          Masks.toTensor(mask, width, height));
    }
    Region part = region.get();
    List<BufferedImage> fitted =
        pictures.images().stream().map(image -> part.fitted(image, width, height)).toList();
    return new InpaintScene(
        inpaint,
        region,
        new ImageTensor(Images.toTensor(fitted), fitted.size(), height, width),
        Masks.toTensor(part.fitted(mask, width, height), width, height));
  }

  /** The pictures with grey (0) where the mask is painted. */
  ImageTensor masked() {
    float[] values = pictures.values().clone();
    for (int from = 0; from < values.length; from += mask.length) {
      for (int i = 0; i < mask.length; i++) {
        values[from + i] *= mask[i] < 0.5f ? 1f : 0f;
      }
    }
    return new ImageTensor(values, pictures.batch(), pictures.height(), pictures.width());
  }

  /** The mask of latent cells: each that of its first pixel. */
  float[] cells(int factor) {
    int width = pictures.width() / factor;
    int height = pictures.height() / factor;
    float[] cells = new float[width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        cells[y * width + x] = mask[y * factor * pictures.width() + x * factor];
      }
    }
    return cells;
  }

  /** The painted region of pictures of the same place; all of them where all is painted. */
  PictureSource view(PictureSource others) {
    if (region.isEmpty()) {
      return others;
    }
    if (others instanceof Pictures some) {
      return Pictures.of(
          some.images().stream()
              .map(image -> region.get().fitted(image, pictures.width(), pictures.height()))
              .toList());
    }
    throw new IllegalArgumentException(
        "only a part of the picture is painted, so a control must be given as Pictures, which can"
            + " be cropped, got "
            + others.getClass().getName());
  }

  /** Sets what was painted into the picture, where that is wanted. */
  List<BufferedImage> finish(List<BufferedImage> images) {
    if (region.isEmpty() && !inpaint.options().overlay()) {
      return images;
    }
    List<BufferedImage> originals = inpaint.pictures().images();
    BufferedImage grey = inpaint.mask().image();
    List<BufferedImage> finished = new ArrayList<>();
    for (int i = 0; i < images.size(); i++) {
      BufferedImage image = images.get(i);
      BufferedImage original = originals.get(i * originals.size() / images.size());
      finished.add(
          region.isPresent()
              ? Overlay.apply(region.get().placed(image, original), original, grey)
              : Overlay.apply(
                  image,
                  Resampling.LANCZOS.resize(original, image.getWidth(), image.getHeight()),
                  Resampling.LANCZOS.resize(grey, image.getWidth(), image.getHeight())));
    }
    return finished;
  }
}
