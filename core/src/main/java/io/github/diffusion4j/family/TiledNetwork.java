package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.family.TileGrid.Span;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A network from planes to planes, run on one picture after the other, each whole or tile by tile.
 * The tensors of each tile shape are made once for all tiles of that shape.
 *
 * @param model the network
 * @param in what it takes
 * @param out what it gives
 */
record TiledNetwork(OrtModel model, Port in, Port out) {

  /**
   * One side of the network.
   *
   * @param spec [batch, channels, height, width]
   * @param channels number of planes
   * @param scale positions along an axis for each latent cell
   */
  record Port(TensorSpec spec, int channels, int scale) {}

  /** The bound tensors of one shape of tiles. */
  private record Bound(OrtBinding binding, OrtTensor in, OrtTensor out, Closer owned)
      implements AutoCloseable {
    @Override
    public void close() {
      owned.close();
    }
  }

  /**
   * Runs the network.
   *
   * @param values of all pictures, [batch, in.channels, height, width]
   * @param batch number of pictures
   * @param grid tiles, in latent cells
   * @param cancel stops it
   * @return [batch, out.channels, height, width]
   */
  float[] run(float[] values, int batch, TileGrid grid, CancelToken cancel) {
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
