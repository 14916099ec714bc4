package io.github.diffusion4j;

import java.awt.image.BufferedImage;
import java.util.List;

/** Pictures that can be had in any size, of which a generation takes the one that it paints. */
public interface PictureSource {

  /**
   * How many there are.
   *
   * @return at least 1
   */
  int count();

  /**
   * Width of the first picture.
   *
   * @return in pixels
   */
  int width();

  /**
   * Height of the first picture.
   *
   * @return in pixels
   */
  int height();

  /**
   * The pictures, each in its own size.
   *
   * @return 8 bit RGB, not to be changed
   */
  List<BufferedImage> images();

  /**
   * The pictures in one size, stretched where proportions differ.
   *
   * @param width in pixels
   * @param height in pixels
   * @return fresh values from 0 to 1
   */
  ImageTensor levels(int width, int height);
}
