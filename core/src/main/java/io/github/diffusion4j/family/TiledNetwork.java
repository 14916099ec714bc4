package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Decoding;
import io.github.diffusion4j.family.TileGrid.Span;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A network from planes to planes, run on one picture after the other, each whole or tile by tile.
 * The tensors of each tile shape are made once for all tiles of that shape.
 *
 * @param model the network
 * @param in what it takes
 * @param out what it gives
 */
record TiledNetwork(OrtModel model, Port in, Port out) {

  private static final System.Logger LOG = System.getLogger(TiledNetwork.class.getName());

  /**
   * One side of the network.
   *
   * @param spec [batch, channels, height, width]
   * @param channels number of planes
   * @param scale positions along an axis for each latent cell
   */
  record Port(TensorSpec spec, int channels, int scale) {
    Port with(TensorSpec other) {
      return new Port(other, channels, scale);
    }
  }

  /**
   * What the network gave.
   *
   * @param values [batch, out.channels, height, width]
   * @param decoding how
   */
  record Output(float[] values, Decoding decoding) {}

  /**
   * Runs the network; again in 32-bit floats for pictures that overflow its 16-bit ones. Others
   * keep their numbers, so that a picture is the same alone and among others.
   *
   * @param values of all pictures, [batch, in.channels, height, width]
   * @param batch number of pictures
   * @param grid tiles, in latent cells
   * @param cancel stops it
   * @return what it gave; values that are not finite only where 32 bits do not help
   */
  Output run(float[] values, int batch, TileGrid grid, CancelToken cancel) {
    float[] result = once(values, batch, grid, cancel);
    List<Integer> broken = broken(result, batch);
    List<Integer> sound = new ArrayList<>();
    Optional<TiledNetwork> wide =
        broken.isEmpty() || !broken(values, 1).isEmpty() ? Optional.empty() : widened();
    for (int i : broken) {
      if (wide.isPresent()) {
        LOG.log(
            System.Logger.Level.WARNING,
            "{0} overflowed 16-bit floats (NaN or infinite values); it runs again in 32-bit floats",
            model.component());
        int size = values.length / batch;
        float[] again =
            wide.get().once(Arrays.copyOfRange(values, i * size, (i + 1) * size), 1, grid, cancel);
        System.arraycopy(again, 0, result, i * again.length, again.length);
        if (broken(again, 1).isEmpty()) {
          sound.add(i);
        }
      }
    }
    broken.removeAll(sound);
    if (!broken.isEmpty()) {
      LOG.log(
          System.Logger.Level.WARNING,
          "{0} gave NaN or infinite values, which are black in a picture{1}",
          model.component(),
          broken(values, 1).isEmpty() ? "" : "; it was given such values");
    }
    return new Output(
        result, new Decoding(grid.rows().size() * grid.columns().size(), sound, broken));
  }

  /** Indices of pictures with values that are not finite. */
  private static List<Integer> broken(float[] values, int batch) {
    List<Integer> indices = new ArrayList<>();
    int size = values.length / batch;
    for (int i = 0; i < batch; i++) {
      float sum = 0; // stays 0, or becomes NaN
      for (int j = i * size; j < (i + 1) * size; j++) {
        sum += values[j] * 0f;
      }
      if (sum != 0) {
        indices.add(i);
      }
    }
    return indices;
  }

  private Optional<TiledNetwork> widened() {
    try {
      return model
          .widened()
          .map(
              wide ->
                  new TiledNetwork(
                      wide,
                      in.with(wide.input(in.spec.name())),
                      out.with(wide.output(out.spec.name()))));
    } catch (IOException e) {
      throw new UncheckedIOException(
          model.component() + ": cannot be read again to compute in 32-bit floats", e);
    }
  }

  /** The bound tensors of one shape of tiles. */
  private record Bound(OrtBinding binding, OrtTensor in, OrtTensor out, Closer owned)
      implements AutoCloseable {
    @Override
    public void close() {
      owned.close();
    }
  }

  private float[] once(float[] values, int batch, TileGrid grid, CancelToken cancel) {
    TileGrid from = grid.times(in.scale);
    TileGrid to = grid.times(out.scale);
    int size = Math.multiplyExact(out.channels, Math.multiplyExact(to.height(), to.width()));
    float[] result = new float[Math.multiplyExact(batch, size)];
    Map<List<Integer>, Bound> shapes = new HashMap<>();
    try (Closer open = new Closer()) {
      for (int i = 0; i < batch; i++) {
        TileBlend blend = new TileBlend(result, i * size, out.channels, to);
        for (int row = 0; row < grid.rows().size(); row++) {
          for (int column = 0; column < grid.columns().size(); column++) {
            int height = grid.rows().get(row).length();
            int width = grid.columns().get(column).length();
            Bound bound =
                shapes.computeIfAbsent(
                    List.of(height, width), shape -> open.own(bind(height, width, cancel)));
            cut(from, row, column).fill(bound.in, values, i * in.channels);
            bound.binding.run();
            blend.place(row, column, bound.out);
          }
        }
      }
    }
    return result;
  }

  private Bound bind(int height, int width, CancelToken cancel) {
    try (Closer open = new Closer()) {
      OrtBinding binding = open.own(model.bind(cancel));
      OrtTensor tensor =
          binding.input(in.spec.name(), 1, in.channels, height * in.scale, width * in.scale);
      OrtTensor result =
          binding.output(out.spec.name(), 1, out.channels, height * out.scale, width * out.scale);
      return new Bound(binding, tensor, result, open.release());
    }
  }

  private Cut cut(TileGrid grid, int row, int column) {
    return new Cut(grid.rows().get(row), grid.columns().get(column), grid);
  }

  /** A tile's place in planes of values. */
  private record Cut(Span rows, Span columns, TileGrid whole) {

    /** Copies as many planes as the tensor has. */
    void fill(OrtTensor tile, float[] values, int firstPlane) {
      int row = firstPlane * whole.height() + rows.start();
      int at = 0;
      while (at < tile.elements()) {
        for (int y = 0; y < rows.length(); y++) {
          tile.put(values, (row + y) * whole.width() + columns.start(), at, columns.length());
          at += columns.length();
        }
        row += whole.height();
      }
    }
  }
}
