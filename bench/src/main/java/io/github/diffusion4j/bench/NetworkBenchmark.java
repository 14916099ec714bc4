package io.github.diffusion4j.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One run of one network, no other network open: for comparing options of sessions. */
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
public class NetworkBenchmark extends Measured {

  /** An open network with its inputs. */
  @State(Scope.Benchmark)
  public static class Network extends ModelParameters {

    private static final long SEED = 42;
    private static final int PIXELS_PER_CELL = 8;
    private static final int DEFAULT_SIZE = 512;
    private static final int TOKENS = 77;
    private static final double TIMESTEP = 500;

    /** Folder of the network. */
    @Param("unet")
    public String network;

    /** Rows of a run: guidance takes two for each image. */
    @Param("2")
    public int rows;

    private final List<BareTensor> tensors = new ArrayList<>();
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private OrtModel model;
    private OrtSession session;
    private Set<String> outputs;

    /** For JMH. */
    public Network() {}

    /**
     * Opens the network and fills its inputs with noise.
     *
     * @throws IOException if the model cannot be read
     * @throws OrtException if ONNX Runtime fails
     */
    @Setup
    public void open() throws IOException, OrtException {
      model =
          OrtRuntime.of(options()).open(network, folder().resolve(network).resolve("model.onnx"));
      session = OpenSessions.taking(model, Set.of());
      outputs = Set.of(session.getOutputNames().iterator().next());
      for (var input : session.getInputInfo().entrySet()) {
        long[] shape = shape(((TensorInfo) input.getValue().getInfo()).getShape());
        BareTensor tensor = BareTensor.like(session, input.getKey(), shape);
        tensors.add(tensor);
        inputs.put(input.getKey(), tensor.tensor());
        if (shape.length <= 2) {
          tensor.fill(shape.length == 2 ? 1 : TIMESTEP);
        } else {
          float[] values = new float[tensor.elements()];
          new TorchNoise(SEED).fill(values);
          tensor.put(values);
        }
      }
    }

    /** Rows, then tokens or the cells of a square. */
    private long[] shape(long... declared) {
      int cells = (size > 0 ? size : DEFAULT_SIZE) / PIXELS_PER_CELL;
      for (int i = 0; i < declared.length; i++) {
        if (declared[i] < 0) {
          declared[i] = i == 0 ? rows : declared.length == 4 ? cells : TOKENS;
        }
      }
      return declared;
    }

    /** Closes it. */
    @TearDown
    public void close() {
      tensors.forEach(BareTensor::close);
      model.close();
    }
  }

  /** For JMH. */
  public NetworkBenchmark() {}

  /**
   * One run.
   *
   * @param network open
   * @return the first output's type and shape
   * @throws OrtException if ONNX Runtime fails
   */
  @Benchmark
  public Object run(Network network) throws OrtException {
    try (OrtSession.Result result = network.session.run(network.inputs, network.outputs)) {
      return result.get(0).getInfo();
    }
  }
}
