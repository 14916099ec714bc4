package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

/**
 * A picture that steers where things are painted: edges, depth, poses, as a ControlNet was trained
 * to read them (Zhang et al. 2023, arXiv 2302.05543). Immutable if its pictures are.
 *
 * @param pictures one for all, one for each prompt, or one for each image; stretched to the size
 *     that is painted
 * @param scale how much the network's residuals count; 1 as trained, 0 not at all
 * @param start share of the steps after which the control begins, 0 to below {@code end}
 * @param end share of the steps after which it ends, up to 1
 * @param net name of the network that reads the pictures; "" for the first of the model's networks
 *     that no other control takes
 */
public record Control(PictureSource pictures, double scale, double start, double end, String net) {

  /** Checks the ranges. */
  public Control {
    requireNonNull(pictures, "pictures");
    requireNonNull(net, "net");
    if (!Double.isFinite(scale)) {
      throw new IllegalArgumentException("control scale must be a finite number, got " + scale);
    }
    if (!(start >= 0 && start < end && end <= 1)) {
      throw new IllegalArgumentException(
          "a control must start at 0 or later and end after its start and by 1, got %s to %s"
              .formatted(start, end));
    }
  }

  /**
   * A control as the network was trained, in all steps.
   *
   * @param pictures one for all, one for each prompt, or one for each image
   */
  public Control(PictureSource pictures) {
    this(pictures, 1, 0, 1, "");
  }

  /**
   * With another scale.
   *
   * @param value 1 as trained, 0 not at all
   * @return a copy
   */
  public Control withScale(double value) {
    return new Control(pictures, value, start, end, net);
  }

  /**
   * In a part of the steps: those that lie within it wholly.
   *
   * @param from share of the steps, 0 to below {@code to}
   * @param to share of the steps, up to 1
   * @return a copy
   */
  public Control between(double from, double to) {
    return new Control(pictures, scale, from, to, net);
  }

  /**
   * Read by a network of a name.
   *
   * @param name such as {@code controlnet_1}, or a name that was given when the model was opened
   * @return a copy
   */
  public Control withNet(String name) {
    return new Control(pictures, scale, start, end, name);
  }
}
