package io.github.diffusion4j.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.noise.TorchNoise;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The floor: ONNX Runtime's own API and nothing else. Runs the pipeline's own sessions on its
 * shapes and types; every tensor is made once and refilled never, outputs are pinned.
 */
final class BareNetworks implements AutoCloseable {

  private static final String HIDDEN = "encoder_hidden_states";
  private static final int BRANCHES = 2;
  private static final long SEED = 42;

  private final List<AutoCloseable> open = new ArrayList<>();
  private final OrtSession encoder;
  private final OrtSession denoiser;
  private final OrtSession decoder;
  private final List<Map<String, OnnxTensor>> prompts = new ArrayList<>();
  private final List<Map<String, OnnxTensor>> steps = new ArrayList<>();
  private final Map<String, OnnxTensor> predictions;
  private final Map<String, OnnxTensor> latents;
  private final Map<String, OnnxTensor> pictures;
  private final int images;

  /** Over the networks of an open model, which stays its owner's. */
  BareNetworks(Stages stages, BareWork work) throws OrtException {
    images = work.latents().batch();
    encoder = OpenSessions.taking(stages, Set.of("input_ids"));
    denoiser = OpenSessions.taking(stages, Set.of("sample", "timestep", HIDDEN));
    decoder = OpenSessions.taking(stages, Set.of("latent_sample"));
    LatentShape shape = work.latents();
    for (long[] ids : work.prompts()) {
      BareTensor input = own(BareTensor.like(encoder, "input_ids", 1, ids.length));
      input.put(ids);
      prompts.add(input.named());
    }
    BareTensor sample =
        noise(
            denoiser, "sample", BRANCHES * images, shape.channels(), shape.height(), shape.width());
    BareTensor hidden = hidden();
    for (double timestep : work.timesteps()) {
      BareTensor time = own(BareTensor.timestep(denoiser, BRANCHES * images));
      time.fill(timestep);
      steps.add(
          Map.of("sample", sample.tensor(), "timestep", time.tensor(), HIDDEN, hidden.tensor()));
    }
    predictions =
        own(BareTensor.output(
                denoiser, BRANCHES * images, shape.channels(), shape.height(), shape.width()))
            .named();
    latents =
        noise(decoder, "latent_sample", 1, shape.channels(), shape.height(), shape.width()).named();
    int factor = work.factor();
    pictures =
        own(BareTensor.output(decoder, 1, 3, shape.height() * factor, shape.width() * factor))
            .named();
  }

  private BareTensor noise(OrtSession session, String input, long... shape) throws OrtException {
    BareTensor tensor = own(BareTensor.like(session, input, shape));
    float[] values = new float[tensor.elements()];
    new TorchNoise(SEED).fill(values);
    tensor.put(values);
    return tensor;
  }

  /** The encoded prompts, repeated for the images of each branch. */
  private BareTensor hidden() throws OrtException {
    List<byte[]> rows = new ArrayList<>();
    long[] shape = {};
    for (Map<String, OnnxTensor> prompt : prompts) {
      try (OrtSession.Result result = encoder.run(prompt, Set.of("last_hidden_state"))) {
        OnnxTensor row = (OnnxTensor) result.get(0);
        byte[] bytes = new byte[row.getByteBuffer().remaining()];
        row.getByteBuffer().get(bytes);
        rows.add(bytes);
        shape = row.getInfo().getShape();
      }
    }
    shape[0] = (long) BRANCHES * images;
    BareTensor tensor = own(BareTensor.like(denoiser, HIDDEN, shape));
    for (byte[] row : rows) {
      for (int image = 0; image < images; image++) {
        tensor.append(row);
      }
    }
    return tensor;
  }

  private <T extends AutoCloseable> T own(T resource) {
    open.add(resource);
    return resource;
  }

  /** One generation's runs: each prompt, each step, each picture. */
  float run(StepMeter meter) throws OrtException {
    encode();
    for (int i = 0; i < steps.size(); i++) {
      step(i);
      if (i == 0) {
        meter.begin();
      }
    }
    meter.end(steps.size() - 1);
    return decode();
  }

  /** Each prompt. */
  void encode() throws OrtException {
    for (Map<String, OnnxTensor> prompt : prompts) {
      encoder.run(prompt, Set.of("last_hidden_state")).close();
    }
  }

  /** One step, counted from 0. */
  void step(int index) throws OrtException {
    denoiser.run(steps.get(index), Set.of(), predictions).close();
  }

  /** Each picture; a value of the last one proves that something was computed. */
  float decode() throws OrtException {
    for (int image = 0; image < images; image++) {
      decoder.run(latents, Set.of(), pictures).close();
    }
    return BareTensor.first(pictures);
  }

  @Override
  public void close() throws OrtException {
    try {
      for (int i = open.size() - 1; i >= 0; i--) {
        open.get(i).close();
      }
    } catch (OrtException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
