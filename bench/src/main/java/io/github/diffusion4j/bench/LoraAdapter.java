package io.github.diffusion4j.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoraAdapter;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.family.ComponentNetwork;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OnnxExport;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * One session of a built UNet whose layers take changes, run in turn with a LoRA of random numbers
 * as inputs and as an adapter of ONNX Runtime. The first time writes the network and the LoRA into
 * a folder; {@code bench/peers/lora_adapter.py} makes the adapter of it.
 */
public final class LoraAdapter {

  private static final double MIB = 1 << 20;
  private static final int ROWS = 2;
  private static final int TOKENS = 77;
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  private LoraAdapter() {}

  /**
   * Measures.
   *
   * @param args {@code MODEL SIZE RANK RUNS FOLDER}; SIZE is that of the latents
   * @throws IOException if a file cannot be read or written
   * @throws OrtException if ONNX Runtime fails
   */
  public static void main(String... args) throws IOException, OrtException {
    if (args.length != 5) {
      System.err.println("arguments: MODEL SIZE RANK RUNS FOLDER");
      System.exit(2);
    }
    Path folder = Path.of(args[4]);
    ComponentNetwork network = ModelLayout.of(Models.folder(args[0])).network("unet");
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());
    Map<String, LowRank> changes;
    try (OrtModel model = network.open(runtime, List.of())) {
      changes = LoraCost.changes(model, Integer.parseInt(args[2]));
    }
    if (!Files.exists(adapter(folder))) {
      write(network.built().orElseThrow(), changes, folder);
      System.out.println("now: python bench/peers/lora_adapter.py " + folder);
      return;
    }
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      String model = folder.resolve("model.onnx").toString();
      try (OrtSession session = ENVIRONMENT.createSession(model, options)) {
        Map<String, OnnxTensor> inputs = inputs(session, Integer.parseInt(args[1]));
        Map<String, OnnxTensor> changed = new HashMap<>(inputs);
        changed.putAll(matrices(changes));
        Inputs both = new Inputs(inputs, changed);
        measure(session, both, adapter(folder), Integer.parseInt(args[3]));
      }
    }
  }

  private static Path adapter(Path folder) {
    return folder.resolve("lora.onnx_adapter");
  }

  private static void write(BuiltNetwork network, Map<String, LowRank> changes, Path folder)
      throws IOException {
    Files.createDirectories(folder);
    GraphEdit inputs = new GraphEdit.LowRankInputs(new TreeSet<>(changes.keySet()));
    OnnxExport.write(
        network.build(Precision.FLOAT32, List.of(inputs)), folder.resolve("model.onnx"));
    SafetensorsWriter writer = new SafetensorsWriter();
    changes.forEach(
        (layer, change) -> {
          long rank = change.rank();
          List<Long> down = List.of(rank, (long) change.shape().columns());
          List<Long> up = List.of((long) change.shape().out(), rank);
          writer.add(GraphEdit.LowRankInputs.down(layer), down, values(change.down()));
          writer.add(GraphEdit.LowRankInputs.up(layer), up, values(change.up()));
        });
    writer.write(folder.resolve("lora.safetensors"));
  }

  /** Without and with the LoRA's matrices. */
  private record Inputs(Map<String, OnnxTensor> plain, Map<String, OnnxTensor> changed) {}

  private static void measure(OrtSession session, Inputs inputs, Path adapter, int runs)
      throws IOException, OrtException {
    long before = ProcessMemory.now().resident();
    long start = System.nanoTime();
    try (OrtLoraAdapter lora = OrtLoraAdapter.create(adapter.toString());
        OrtSession.RunOptions none = new OrtSession.RunOptions();
        OrtSession.RunOptions with = new OrtSession.RunOptions()) {
      with.addActiveLoraAdapter(lora);
      System.out.printf(
          "adapter of %.1f MiB: ready in %.1f ms, %.1f MiB more in memory%n",
          Files.size(adapter) / MIB,
          (System.nanoTime() - start) / 1e6,
          (ProcessMemory.now().resident() - before) / MIB);
      float[] byInputs = run(session, inputs.changed, none);
      float[] byAdapter = run(session, inputs.plain, with);
      float largest = 0;
      for (int i = 0; i < byInputs.length; i++) {
        largest = Math.max(largest, Math.abs(byInputs[i] - byAdapter[i]));
      }
      double[] seconds =
          LoraCost.quickest(
              runs,
              () -> run(session, inputs.changed, none),
              () -> run(session, inputs.plain, with));
      System.out.printf(
          "inputs: %.4f s, adapter: %.4f s, ratio %.3f, largest difference %s%n",
          seconds[0], seconds[1], seconds[1] / seconds[0], largest);
    } finally {
      inputs.changed.values().forEach(OnnxTensor::close);
    }
  }

  private static Map<String, OnnxTensor> matrices(Map<String, LowRank> changes)
      throws OrtException {
    Map<String, OnnxTensor> matrices = new HashMap<>();
    for (Map.Entry<String, LowRank> entry : changes.entrySet()) {
      LowRank change = entry.getValue();
      String down = GraphEdit.LowRankInputs.down(entry.getKey());
      String up = GraphEdit.LowRankInputs.up(entry.getKey());
      matrices.put(down, tensor(values(change.down()), change.rank(), change.shape().columns()));
      matrices.put(up, tensor(values(change.up()), change.shape().out(), change.rank()));
    }
    return matrices;
  }

  private static Map<String, OnnxTensor> inputs(OrtSession session, int size) throws OrtException {
    Random random = new Random(2);
    long channels = shape(session, "sample")[1];
    long width = shape(session, "encoder_hidden_states")[2];
    float[] sample = LoraCost.values(random, (int) (ROWS * channels * size * size));
    float[] text = LoraCost.values(random, (int) (ROWS * TOKENS * width));
    Map<String, OnnxTensor> inputs = new HashMap<>();
    inputs.put("sample", tensor(sample, ROWS, channels, size, size));
    inputs.put("encoder_hidden_states", tensor(text, ROWS, TOKENS, width));
    inputs.put("timestep", OnnxTensor.createTensor(ENVIRONMENT, 500f));
    inputs.put(
        GraphEdit.LowRankInputs.ROWS,
        OnnxTensor.createTensor(ENVIRONMENT, new long[] {Long.MAX_VALUE}));
    return inputs;
  }

  private static long[] shape(OrtSession session, String input) throws OrtException {
    return ((TensorInfo) session.getInputInfo().get(input).getInfo()).getShape();
  }

  private static OnnxTensor tensor(float[] values, long... shape) throws OrtException {
    FloatBuffer direct =
        ByteBuffer.allocateDirect(Float.BYTES * values.length)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    return OnnxTensor.createTensor(ENVIRONMENT, direct.put(values).flip(), shape);
  }

  private static float[] run(
      OrtSession session, Map<String, OnnxTensor> inputs, OrtSession.RunOptions options) {
    try (OrtSession.Result result = session.run(inputs, options)) {
      return values(((OnnxTensor) result.get(0)).getFloatBuffer());
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  private static float[] values(FloatBuffer buffer) {
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }
}
