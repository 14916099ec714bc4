package io.github.diffusion4j.bench;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.Architectures;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.graph.WeightSource;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Two files of the same UNet side by side: each is opened in a process of its own, then they run in
 * turn, so that both meet the same machine. Prints processor time and wall time of an evaluation,
 * the first one and the quickest of the others, and the most memory that each process had.
 */
public final class NetworkPair {

  private static final int NANOS = 1_000_000_000;

  private NetworkPair() {}

  /**
   * Compares.
   *
   * @param args {@code A B THREADS BATCH SIZE RUNS}: folders of a UNet that have {@code
   *     model.onnx}, or {@code config.json} and {@code diffusion_pytorch_model.safetensors}; SIZE
   *     is that of the latents
   * @throws IOException if a process cannot be started
   */
  public static void main(String... args) throws IOException {
    if (args.length == 4 && args[0].equals("--run")) {
      run(Path.of(args[1]), Integer.parseInt(args[2]), args[3].split("x"));
      return;
    }
    if (args.length != 6) {
      System.err.println("arguments: A B THREADS BATCH SIZE RUNS");
      System.exit(2);
    }
    List<Worker> workers = new ArrayList<>();
    try {
      for (int i = 0; i < 2; i++) {
        workers.add(new Worker(args[i], args[2], args[3] + "x" + args[4]));
      }
      for (int run = 0; run <= Integer.parseInt(args[5]); run++) {
        for (Worker worker : workers) {
          worker.evaluate();
        }
      }
      workers.forEach(worker -> System.out.println(worker.report()));
      System.out.printf(
          "second to first: processor time %.3f, wall time %.3f, peak memory %.3f%n",
          workers.get(1).processor / workers.get(0).processor,
          workers.get(1).wall / workers.get(0).wall,
          workers.get(1).peak() / workers.get(0).peak());
    } finally {
      workers.forEach(worker -> worker.process.destroy());
    }
  }

  /** A process with one network. */
  private static final class Worker {

    private final String name;
    private final Process process;
    private final BufferedReader answers;
    private String sum = "";
    private double firstProcessor = Double.NaN;
    private double processor = Double.POSITIVE_INFINITY;
    private double wall = Double.POSITIVE_INFINITY;

    Worker(String network, String threads, String shape) throws IOException {
      name = network;
      String java = ProcessHandle.current().info().command().orElse("java");
      process =
          new ProcessBuilder(
                  java,
                  "-Xmx256m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  NetworkPair.class.getName(),
                  "--run",
                  network,
                  threads,
                  shape)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      answers =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      answer();
    }

    private String answer() throws IOException {
      String line = answers.readLine();
      if (line == null) {
        throw new IOException(name + ": the process has ended");
      }
      return line;
    }

    private double processorSeconds() {
      return process.info().totalCpuDuration().map(time -> time.toNanos()).orElse(0L)
          / (double) NANOS;
    }

    void evaluate() throws IOException {
      double before = processorSeconds();
      long start = System.nanoTime();
      process.getOutputStream().write('\n');
      process.getOutputStream().flush();
      sum = answer();
      double took = (System.nanoTime() - start) / (double) NANOS;
      double used = processorSeconds() - before;
      if (Double.isNaN(firstProcessor)) {
        firstProcessor = used;
      } else {
        wall = Math.min(wall, took);
        processor = Math.min(processor, used);
      }
    }

    double peak() {
      try {
        return ProcessMemory.of(Path.of("/proc/" + process.pid() + "/status")).peakMebibytes();
      } catch (IOException e) {
        return Double.NaN; // Linux only
      }
    }

    String report() {
      return "%s: processor time first %.2f s, then %.2f s; wall time %.2f s; peak %.0f MiB; sum %s"
          .formatted(name, firstProcessor, processor, wall, peak(), sum);
    }
  }

  private static void run(Path folder, int threads, String... shape) throws IOException {
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(threads).build());
    int batch = Integer.parseInt(shape[0]);
    int side = Integer.parseInt(shape[1]);
    Path onnx = folder.resolve("model.onnx");
    try (OrtModel model =
            Files.exists(onnx)
                ? runtime.open("unet", onnx)
                : runtime.open("unet", built(folder), List.of());
        OrtBinding binding = model.bindForSteps(new CancelToken())) {
      for (TensorSpec spec : model.inputs().values()) {
        feed(binding, spec, batch, side);
      }
      TensorSpec sample = model.input("sample");
      TensorSpec result = model.output("out_sample");
      var output =
          binding.output(
              result.name(), batch, result.dim(1) > 0 ? result.dim(1) : sample.dim(1), side, side);
      float[] values = new float[output.elements()];
      System.out.println("open");
      while (System.in.read() >= 0) {
        binding.run();
        output.get(0, values, 0, values.length);
        double sum = 0;
        for (float value : values) {
          sum += Math.abs(value);
        }
        System.out.println(sum);
      }
    }
  }

  private static BuiltNetwork built(Path folder) {
    return new BuiltNetwork(
        "unet",
        Architectures.of("unet", ConfigFile.read(folder, "config.json")),
        WeightSource.of(folder.resolve("diffusion_pytorch_model.safetensors")));
  }

  private static void feed(OrtBinding binding, TensorSpec spec, int batch, int side) {
    long[] shape = new long[spec.rank()];
    int elements = 1;
    for (int axis = 0; axis < shape.length; axis++) {
      boolean picture = shape.length == 4;
      shape[axis] = spec.dim(axis) > 0 ? spec.dim(axis) : axis == 0 ? batch : picture ? side : 77;
      elements *= (int) shape[axis];
    }
    Random random = new Random(7);
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      values[i] = (float) random.nextGaussian();
    }
    if (spec.name().equals("timestep")) {
      values[0] = 500;
    }
    binding.input(spec.name(), shape).put(values);
  }
}
