package io.github.diffusion4j.family;

import io.github.diffusion4j.family.TileGrid.Span;
import io.github.diffusion4j.onnx.OrtTensor;
import java.util.List;

/**
 * Puts the network's outputs for overlapping tiles together, row by row from the top left. Where
 * two tiles overlap, the weight goes linearly from the one to the other: first with the tile above,
 * then with the one to the left, each as it was blended itself, in the order of diffusers' {@code
 * tiled_decode}, so that corners where four tiles meet have the same numbers. Beside the result it
 * keeps one row of overlaps. For one picture, one thread.
 */
final class TileBlend {

  private final float[] dst;
  private final int offset;
  private final int channels;
  private final TileGrid grid;
  private final List<Span> rows;
  private final List<Span> columns;
  private final float[] line; // one row of one channel of a tile
  private float[][] above; // of each column: what the tile above has below its own part
  private float[][] below;
  private float[] left = new float[0]; // what the tile to the left has to the right of its part
  private float[] right = new float[0];

  /**
   * Begins a picture.
   *
   * @param dst gets the picture, [channels, height, width] from the offset on
   * @param offset first value of the picture
   * @param channels of tiles and picture
   * @param grid the tiles, in units of the picture
   */
  TileBlend(float[] dst, int offset, int channels, TileGrid grid) {
    this.dst = dst;
    this.offset = offset;
    this.channels = channels;
    this.grid = grid;
    this.rows = grid.rows();
    this.columns = grid.columns();
    this.line = new float[columns.stream().mapToInt(Span::length).max().orElse(0)];
    this.below = new float[columns.size()][];
    this.above = below;
  }

  /** Takes one tile; they come row by row, from the left in each. */
  void place(int row, int column, OrtTensor tile) {
    if (column == 0) {
      above = below;
      below = new float[columns.size()][];
    }
    int height = rows.get(row).length();
    int width = columns.get(column).length();
    int ownRows = own(rows, row);
    int ownColumns = own(columns, column);
    below[column] = new float[channels * (height - ownRows) * width];
    left = right;
    right = new float[channels * height * (width - ownColumns)];
    for (int channel = 0; channel < channels; channel++) {
      for (int y = 0; y < height; y++) {
        int at = channel * height + y;
        tile.get(at * width, line, 0, width);
        blendAbove(row, column, channel, y);
        blendLeft(column, at);
        if (y < ownRows) {
          System.arraycopy(line, 0, dst, target(row, column, channel, y), ownColumns);
        } else {
          int kept = channel * (height - ownRows) + y - ownRows;
          System.arraycopy(line, 0, below[column], kept * width, width);
        }
        int over = width - ownColumns;
        System.arraycopy(line, ownColumns, right, at * over, over);
      }
    }
  }

  private void blendAbove(int row, int column, int channel, int y) {
    int ramp = ramp(rows, row);
    if (y >= ramp) {
      return;
    }
    float[] other = above[column];
    int width = columns.get(column).length();
    int from = (channel * ramp + y) * width;
    float weight = (float) (y / (double) ramp);
    float otherWeight = (float) (1 - y / (double) ramp);
    for (int x = 0; x < width; x++) {
      line[x] = other[from + x] * otherWeight + line[x] * weight;
    }
  }

  private void blendLeft(int column, int at) {
    int ramp = ramp(columns, column);
    for (int x = 0; x < ramp; x++) {
      line[x] =
          left[at * ramp + x] * (float) (1 - x / (double) ramp)
              + line[x] * (float) (x / (double) ramp);
    }
  }

  /** How far a tile lies over the one before it. */
  private static int ramp(List<Span> spans, int index) {
    return index == 0 ? 0 : spans.get(index - 1).end() - spans.get(index).start();
  }

  /** How much of a tile is its own: up to where the next one begins. */
  private static int own(List<Span> spans, int index) {
    Span span = spans.get(index);
    return index + 1 < spans.size() ? spans.get(index + 1).start() - span.start() : span.length();
  }

  private int target(int row, int column, int channel, int y) {
    return offset
        + (channel * grid.height() + rows.get(row).start() + y) * grid.width()
        + columns.get(column).start();
  }
}
