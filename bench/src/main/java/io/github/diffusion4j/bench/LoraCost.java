package io.github.diffusion4j.bench;

import com.sun.management.OperatingSystemMXBean;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.family.ComponentNetwork;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a LoRA of random numbers on all attention and feed-forward layers costs: the UNet as it is,
 * with the LoRA as inputs, and with it merged, run in turn. Prints processor time of an evaluation
 * of two rows.
 */
public final class LoraCost {

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private static final int ROWS = 2;
  private static final int TOKENS = 77;

  private LoraCost() {}

  /**
   * Measures.
   *
   * @param args {@code MODEL SIZE RANK RUNS}; SIZE is that of the latents
   * @throws IOException if the model cannot be read
   */
  public static void main(String... args) throws IOException {
    if (args.length != 4) {
      System.err.println("arguments: MODEL SIZE RANK RUNS");
      System.exit(2);
    }
    ComponentNetwork network = ModelLayout.of(Models.folder(args[0])).network("unet");
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());
    int size = Integer.parseInt(args[1]);
    List<String> names = List.of("as it is", "as inputs", "merged");
    List<OrtModel> models = new ArrayList<>();
    try (Closer owned = new Closer()) {
      models.add(owned.own(network.open(runtime, List.of())));
      Map<String, LowRank> changes = changes(models.get(0), Integer.parseInt(args[2]));
      for (GraphEdit edit :
          List.of(
              new GraphEdit.LowRankInputs(new TreeSet<>(changes.keySet())),
              new GraphEdit.Merged("random", changes))) {
        models.add(owned.own(network.open(runtime, List.of(edit))));
      }
      List<Runnable> runs = new ArrayList<>();
      for (OrtModel model : models) {
        OrtBinding binding = owned.own(bound(model, size));
        if (model == models.get(1)) {
          binding.change(changes);
        }
        runs.add(binding::run);
      }
      double[] seconds = new double[runs.size()];
      for (int i = 0; i <= Integer.parseInt(args[3]); i++) {
        for (int k = 0; k < seconds.length; k++) {
          long start = SYSTEM.getProcessCpuTime();
          runs.get(k).run();
          seconds[k] +=
              i == 0 ? 0 : (SYSTEM.getProcessCpuTime() - start) / 1e9; // the first warms up
        }
      }
      System.out.println(changes.size() + " layers of " + models.get(0).layers().size());
      for (int k = 0; k < seconds.length; k++) {
        double each = seconds[k] / Integer.parseInt(args[3]);
        System.out.printf("%s: %.4f s, ratio %.3f%n", names.get(k), each, seconds[k] / seconds[0]);
      }
    }
  }

  private static Map<String, LowRank> changes(OrtModel model, int rank) throws IOException {
    Random random = new Random(1);
    Map<String, LowRank> changes = new TreeMap<>();
    model
        .layers()
        .forEach(
            (name, shape) -> {
              if (name.contains("transformer_blocks")) {
                float[] down = values(random, rank * shape.columns());
                float[] up = values(random, rank * shape.out());
                changes.put(name, LowRank.of(shape, down, up));
              }
            });
    return changes;
  }

  private static OrtBinding bound(OrtModel model, int size) {
    Random random = new Random(2);
    OrtBinding binding = model.bind(new CancelToken());
    TensorSpec sample = model.input("sample");
    int channels = (int) sample.dim(1);
    int width = (int) model.input("encoder_hidden_states").dim(2);
    binding
        .input("sample", ROWS, channels, size, size)
        .put(values(random, ROWS * channels * size * size));
    binding
        .input("encoder_hidden_states", ROWS, TOKENS, width)
        .put(values(random, ROWS * TOKENS * width));
    binding.input("timestep").fill(500);
    binding.output("out_sample", ROWS, channels, size, size);
    return binding;
  }

  private static float[] values(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() / 100;
    }
    return values;
  }
}
