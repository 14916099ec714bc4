package io.github.diffusion4j.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.noise.TorchNoise;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The floor: ONNX Runtime's own API and nothing else. Runs the networks on the shapes, types and
 * session options of the pipeline; every tensor is made once and refilled never, outputs are
 * pinned.
 */
final class BareNetworks implements AutoCloseable {

  private static final String HIDDEN = "encoder_hidden_states";
  private static final int BRANCHES = 2;
  private static final long SEED = 42;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
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

  BareNetworks(Path model, RuntimeOptions options, BareWork work) throws OrtException {
    images = work.latents().batch();
    encoder = session(model, "text_encoder", options);
    denoiser = session(model, "unet", options);
    decoder = session(model, "vae_decoder", options);
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

  private OrtSession session(Path model, String component, RuntimeOptions options)
      throws OrtException {
    OrtSession.SessionOptions own = own(new OrtSession.SessionOptions());
    own.setIntraOpNumThreads(options.intraOpThreads());
    own.setInterOpNumThreads(1);
    own.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
    own.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
    own.setCPUArenaAllocator(options.memoryArena());
    own.setMemoryPatternOptimization(options.memoryPattern());
    own.addConfigEntry("session.intra_op.allow_spinning", options.spinning() ? "1" : "0");
    if (options.provider() instanceof ExecutionProvider.Cuda cuda) {
      own.addCUDA(own(new OrtCUDAProviderOptions(cuda.deviceId())));
    } else if (!(options.provider() instanceof ExecutionProvider.Cpu)) {
      throw new IllegalArgumentException(
          "provider must be cpu or cuda for the bare loop, got " + options.provider().name());
    }
    String file = model.resolve(component).resolve("model.onnx").toAbsolutePath().toString();
    return own(environment.createSession(file, own));
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
    for (Map<String, OnnxTensor> prompt : prompts) {
      encoder.run(prompt, Set.of("last_hidden_state")).close();
    }
    for (int i = 0; i < steps.size(); i++) {
      denoiser.run(steps.get(i), Set.of(), predictions).close();
      if (i == 0) {
        meter.begin();
      }
    }
    meter.end(steps.size() - 1);
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
