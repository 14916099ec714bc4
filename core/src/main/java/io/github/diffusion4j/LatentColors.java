package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

/**
 * Previews with no model: each latent cell becomes one pixel, whose colour is a linear function of
 * the cell's channels. The factors are those that were fitted for each kind of latents and that
 * ComfyUI and the web UIs use. Microseconds instead of a decoder's seconds; blurred, colours about
 * right.
 *
 * @param factors red, green and blue for each channel, nominally giving −1 to 1
 * @param bias red, green and blue
 */
public record LatentColors(Floats factors, Floats bias) implements LatentPreview {

  private static final int RGB = 3;

  /** Stable Diffusion 1 and 2. */
  public static final LatentColors STABLE_DIFFUSION =
      new LatentColors(
          Floats.of(
              0.3512f, 0.2297f, 0.3227f, //
              0.3250f, 0.4974f, 0.2350f, //
              -0.2829f, 0.1762f, 0.2721f, //
              -0.2120f, -0.2616f, -0.7177f),
          Floats.of(0, 0, 0));

  /** Stable Diffusion XL. */
  public static final LatentColors STABLE_DIFFUSION_XL =
      new LatentColors(
          Floats.of(
              0.3651f, 0.4232f, 0.4341f, //
              -0.2533f, -0.0042f, 0.1068f, //
              0.1076f, 0.1111f, -0.0362f, //
              -0.3165f, -0.2492f, -0.2188f),
          Floats.of(0.1084f, -0.0175f, -0.0011f));

  /** The upscaler to four times the size. */
  public static final LatentColors UPSCALER =
      new LatentColors(
          Floats.of(
              -0.2340f, -0.3863f, -0.3257f, //
              0.0994f, 0.0885f, -0.0908f, //
              -0.2833f, -0.2349f, -0.3741f, //
              0.2523f, -0.0055f, -0.1651f),
          Floats.of(0, 0, 0));

  /** Stable Diffusion 3 and 3.5. */
  public static final LatentColors STABLE_DIFFUSION_3 =
      new LatentColors(
          Floats.of(
              -0.0922f, -0.0175f, 0.0749f, //
              0.0311f, 0.0633f, 0.0954f, //
              0.1994f, 0.0927f, 0.0458f, //
              0.0856f, 0.0339f, 0.0902f, //
              0.0587f, 0.0272f, -0.0496f, //
              -0.0006f, 0.1104f, 0.0309f, //
              0.0978f, 0.0306f, 0.0427f, //
              -0.0042f, 0.1038f, 0.1358f, //
              -0.0194f, 0.0020f, 0.0669f, //
              -0.0488f, 0.0130f, -0.0268f, //
              0.0922f, 0.0988f, 0.0951f, //
              -0.0278f, 0.0524f, -0.0542f, //
              0.0332f, 0.0456f, 0.0895f, //
              -0.0069f, -0.0030f, -0.0810f, //
              -0.0596f, -0.0465f, -0.0293f, //
              -0.1448f, -0.1463f, -0.1189f),
          Floats.of(0.2394f, 0.2135f, 0.1925f));

  /** FLUX.1. */
  public static final LatentColors FLUX =
      new LatentColors(
          Floats.of(
              -0.0346f, 0.0244f, 0.0681f, //
              0.0034f, 0.0210f, 0.0687f, //
              0.0275f, -0.0668f, -0.0433f, //
              -0.0174f, 0.0160f, 0.0617f, //
              0.0859f, 0.0721f, 0.0329f, //
              0.0004f, 0.0383f, 0.0115f, //
              0.0405f, 0.0861f, 0.0915f, //
              -0.0236f, -0.0185f, -0.0259f, //
              -0.0245f, 0.0250f, 0.1180f, //
              0.1008f, 0.0755f, -0.0421f, //
              -0.0515f, 0.0201f, 0.0011f, //
              0.0428f, -0.0012f, -0.0036f, //
              0.0817f, 0.0765f, 0.0749f, //
              -0.1264f, -0.0522f, -0.1103f, //
              -0.0280f, -0.0881f, -0.0499f, //
              -0.1262f, -0.0982f, -0.0778f),
          Floats.of(-0.0329f, -0.0718f, -0.0851f));

  /** Checks that there are three factors for each channel and three biases. */
  public LatentColors {
    if (factors.length() < RGB || factors.length() % RGB != 0 || bias.length() != RGB) {
      throw new IllegalArgumentException(
          "factors must be 3 for each channel and bias 3, got %d and %d"
              .formatted(factors.length(), bias.length()));
    }
  }

  /**
   * The mean of the channels as grey, for latents that nobody fitted.
   *
   * @param channels of the latents, at least 1
   * @return shows shapes, no colours
   */
  public static LatentColors grey(int channels) {
    if (channels < 1) {
      throw new IllegalArgumentException("channels must be at least 1, got " + channels);
    }
    float[] factors = new float[RGB * channels];
    java.util.Arrays.fill(factors, 1f / channels);
    return new LatentColors(Floats.of(factors), Floats.of(0, 0, 0));
  }

  /**
   * The colours of a model's latents.
   *
   * @param stages the open model
   * @return those of its family; grey where they are not known
   */
  public static LatentColors of(Stages stages) {
    int channels = requireNonNull(stages, "stages").codec().latentChannels();
    LatentColors fitted =
        switch (stages.facts().family()) {
          case "stable-diffusion" -> stages.codec().factor() == 4 ? UPSCALER : STABLE_DIFFUSION;
          case "latent-consistency" -> STABLE_DIFFUSION;
          case "stable-diffusion-xl" -> STABLE_DIFFUSION_XL;
          case "stable-diffusion-3" -> STABLE_DIFFUSION_3;
          case "flux" -> FLUX;
          default -> grey(channels);
        };
    return fitted.channels() == channels ? fitted : grey(channels);
  }

  /**
   * Channels of the latents that these colours are for.
   *
   * @return at least 1
   */
  public int channels() {
    return factors.length() / RGB;
  }

  /**
   * One pixel for each latent cell.
   *
   * @throws IllegalArgumentException if the latents have another number of channels
   */
  @Override
  public ImageTensor preview(float[] latents, LatentShape shape) {
    if (shape.channels() != channels() || latents.length != shape.total()) {
      throw new IllegalArgumentException(
          "these colours are for latents of %d channels, got %d values of %s"
              .formatted(channels(), latents.length, shape));
    }
    float[] weights = factors.toArray();
    float[] base = bias.toArray();
    int cells = shape.height() * shape.width();
    float[] pixels = new float[Math.multiplyExact(RGB * shape.batch(), cells)];
    for (int plane = 0; plane < RGB * shape.batch(); plane++) {
      int color = plane % RGB;
      int from = plane * cells;
      java.util.Arrays.fill(pixels, from, from + cells, base[color]);
      for (int channel = 0; channel < shape.channels(); channel++) {
        float weight = weights[RGB * channel + color];
        int source = (plane / RGB * shape.channels() + channel) * cells;
        for (int cell = 0; cell < cells; cell++) {
          pixels[from + cell] += weight * latents[source + cell];
        }
      }
    }
    return new ImageTensor(pixels, shape.batch(), shape.height(), shape.width());
  }
}
