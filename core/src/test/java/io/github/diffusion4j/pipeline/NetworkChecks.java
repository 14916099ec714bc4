package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.image.Masks;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.image.Resampling;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Inpaint;
import io.github.diffusion4j.task.InstructPix2Pix;
import io.github.diffusion4j.task.Pictures;
import io.github.diffusion4j.task.Upscale;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;

/** What goes into the networks beside latents and prompts: pictures, masks, extra channels. */
record NetworkChecks(PipelineCase golden, SafetensorsFile tensors) {

  private static final double EXACT = 1e-6;

  void check(GenerationRequest request, RecordingStages networks) throws IOException {
    checkPictures(request, networks);
    checkEncoder(networks);
    checkExtraChannels(networks);
    checkControls(networks);
    checkFirstCall(networks);
  }

  private Optional<float[]> stored(String name) {
    String stored = golden.stored(name);
    return tensors.names().contains(stored)
        ? Optional.of(tensors.floats(stored))
        : Optional.empty();
  }

  private void checkPictures(GenerationRequest request, RecordingStages networks)
      throws IOException {
    Optional<float[]> image = stored("preprocessed_image");
    if (image.isPresent()) {
      PipelineGoldenTest.close("preprocessed_image", image.get(), tensor(request, networks), EXACT);
    }
    Optional<float[]> mask = stored("preprocessed_mask");
    if (mask.isPresent()) {
      float[] actual =
          Masks.toTensor(
              PictureFile.read(golden.task().input("mask_image")),
              request.width().orElseThrow(),
              request.height().orElseThrow());
      PipelineGoldenTest.close("preprocessed_mask", mask.get(), actual, EXACT);
    }
  }

  /** The request's pictures as the task prepares them for the autoencoder or the denoiser. */
  private float[] tensor(GenerationRequest request, RecordingStages networks) {
    LatentShape shape = networks.shape;
    if (request.init() instanceof Upscale upscale) {
      return upscale.pictures().tensor(shape.width(), shape.height(), Resampling.BICUBIC).values();
    }
    Pictures pictures =
        request.init() instanceof ImageToImage task
            ? task.pictures()
            : request.init() instanceof Inpaint inpaint
                ? inpaint.pictures()
                : ((InstructPix2Pix) request.init()).pictures();
    int factor = networks.factor();
    return pictures
        .tensor(shape.width() * factor, shape.height() * factor, Resampling.LANCZOS)
        .values();
  }

  private void checkEncoder(RecordingStages networks) {
    for (int i = 0; i < networks.encoded.size(); i++) {
      String name = "vae_encode." + i;
      float[] input = networks.encoderInputs.get(i);
      stored(name + ".sample")
          .ifPresent(golden -> PipelineGoldenTest.close(name, golden, input, EXACT));
      float[] mode = networks.encoded.get(i).mode();
      Optional<float[]> parameters = stored(name + ".latent_parameters");
      if (parameters.isPresent()) {
        float[] means = Arrays.copyOf(parameters.get(), mode.length);
        PipelineGoldenTest.close(name + " mean", means, mode, 1e-3); // of one picture
      }
    }
    assertFalse(
        networks.encoded.isEmpty() && stored("vae_encode.0.latent_parameters").isPresent(),
        "the reference encoded a picture");
  }

  /** Masks and masked pictures as channels, the same in each branch. */
  private void checkExtraChannels(RecordingStages networks) {
    Optional<Conditioning.Input> extra = networks.conditioning.find(Conditioning.EXTRA_CHANNELS);
    Optional<float[]> mask = stored("mask_latents");
    if (extra.isEmpty() || mask.isEmpty()) {
      return;
    }
    int cells = networks.shape.height() * networks.shape.width();
    int row = extra.get().rowElements();
    float[] masks = new float[mask.get().length];
    float[] known = new float[masks.length * networks.shape.channels()];
    for (int i = 0; i < masks.length / cells; i++) {
      System.arraycopy(extra.get().values(), i * row, masks, i * cells, cells);
      System.arraycopy(
          extra.get().values(), i * row + cells, known, i * (row - cells), row - cells);
    }
    PipelineGoldenTest.close("mask_latents", mask.get(), masks, EXACT);
    PipelineGoldenTest.close(
        "masked_image_latents", stored("masked_image_latents").orElseThrow(), known, 1e-3);
  }

  /** Control pictures, as often as the reference repeats them: for images, and for branches. */
  private void checkControls(RecordingStages networks) {
    for (int i = 0; networks.control != null && i < networks.control.signals().size(); i++) {
      Optional<float[]> expected = stored(i == 0 ? "control_image" : "control_image_" + i);
      if (expected.isPresent()) {
        ImageTensor picture = networks.control.signals().get(i).picture();
        int images = networks.shape.batch();
        float[] once = LatentDistribution.repeat(picture.values(), picture.batch(), images);
        float[] all = new float[expected.get().length];
        for (int at = 0; at < all.length; at += once.length) {
          System.arraycopy(once, 0, all, at, once.length);
        }
        PipelineGoldenTest.close("control_image " + i, expected.get(), all, EXACT);
      }
    }
  }

  /** The first call's whole batch; the reference of InstructPix2Pix has its branches reversed. */
  private void checkFirstCall(RecordingStages networks) {
    compare("denoiser_first.sample", networks.firstSample(), networks);
    compare("denoiser_first.out", networks.firstOutput, networks);
  }

  private void compare(String name, float[] values, RecordingStages networks) {
    Optional<float[]> expected = stored(name);
    if (expected.isEmpty()) {
      return;
    }
    double limit = Math.max(1e-3, 1e-4 * PipelineGoldenTest.max(expected.get()));
    boolean packed = tensors.info(golden.stored(name)).shape().size() == 3;
    float[] actual = packed ? Recording.packed(values, networks.shape) : values;
    int branches = networks.conditioning.branches();
    int branch = actual.length / branches;
    if (branches == 3) {
      float[] reversed = actual.clone();
      System.arraycopy(actual, 2 * branch, reversed, 0, branch);
      System.arraycopy(actual, 0, reversed, 2 * branch, branch);
      actual = reversed;
    } else if (expected.get().length == branch) { // called once for each branch, the prompt first
      actual = Arrays.copyOfRange(actual, actual.length - branch, actual.length);
    }
    PipelineGoldenTest.close(name, expected.get(), actual, limit);
  }
}
