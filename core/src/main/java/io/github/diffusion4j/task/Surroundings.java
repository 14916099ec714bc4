package io.github.diffusion4j.task;

import io.github.diffusion4j.image.Masks;
import java.awt.image.BufferedImage;

/** Fills the masked part of a picture with the colours around it. */
final class Surroundings {

  /** Standard deviations of the blurs, wide first: far colours reach the middle of a hole. */
  private static final double[] DEVIATIONS = {256, 64, 16, 4, 2};

  private Surroundings() {}

  /**
   * Blurs the known pixels into the hole, ever narrower, so that each hole pixel ends with the
   * nearest colours that reach it.
   *
   * @param image 8 bit RGB
   * @param mask 8 bit grey of the same size; white is the hole
   */
  static BufferedImage fill(BufferedImage image, BufferedImage mask) {
    byte[] hole = Canvas.levels(Canvas.copyGrey(mask));
    byte[] from = Canvas.levels(Canvas.copy(image));
    BufferedImage result = Canvas.copy(image);
    byte[] to = Canvas.levels(result);
    BufferedImage known = Canvas.copy(image);
    byte[] masked = Canvas.levels(known);
    for (int i = 0; i < masked.length; i++) {
      int kept = 255 - (hole[i / 3] & 0xff);
      masked[i] = (byte) Math.round((from[i] & 0xff) * kept / 255f);
      to[i] = (hole[i / 3] & 0xff) == 0 ? from[i] : 0;
    }
    BufferedImage kept = Canvas.inverted(Canvas.copyGrey(mask));
    for (double deviation : DEVIATIONS) {
      spread(to, hole, Canvas.levels(Masks.blur(known, deviation)), weights(kept, deviation));
    }
    return result;
  }

  private static byte[] weights(BufferedImage kept, double deviation) {
    return Canvas.levels(Masks.blur(kept, deviation));
  }

  /** Mixes a blur into the hole by how much of it comes from known pixels. */
  private static void spread(byte[] to, byte[] hole, byte[] blurred, byte[] weights) {
    for (int i = 0; i < to.length; i++) {
      int weight = weights[i / 3] & 0xff;
      if ((hole[i / 3] & 0xff) == 0 || weight == 0) {
        continue;
      }
      float colour = Math.min(255f, 255f * (blurred[i] & 0xff) / weight);
      float share = Math.min(1f, weight / 64f);
      to[i] = (byte) Math.round(share * colour + (1 - share) * (to[i] & 0xff));
    }
  }
}
