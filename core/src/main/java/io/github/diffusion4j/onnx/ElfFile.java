package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the loader reads from a 64-bit ELF shared library before it loads it: which libraries it
 * needs and where it says they lie. Reads a few kilobytes whatever the file's size, and trusts no
 * offset or count in it.
 *
 * @param machine processor number, 62 for x86-64, 183 for AArch64
 * @param needed names of the libraries it needs (DT_NEEDED), in order
 * @param searchPath folders it names itself (DT_RUNPATH, else DT_RPATH), {@code $ORIGIN} not yet
 *     replaced
 */
record ElfFile(int machine, List<String> needed, List<String> searchPath) {
  private static final int HEADER = 64;
  private static final int SEGMENT = 56;
  private static final int DYNAMIC_ENTRY = 16;
  private static final int MAX_DYNAMIC = 1 << 16;
  private static final int MAX_NAME = 4096;

  private static final int SEGMENT_LOAD = 1;
  private static final int SEGMENT_DYNAMIC = 2;
  private static final int TAG_END = 0;
  private static final int TAG_NEEDED = 1;
  private static final int TAG_STRINGS = 5;
  private static final int TAG_RPATH = 15;
  private static final int TAG_RUNPATH = 29;

  ElfFile {
    needed = List.copyOf(needed);
    searchPath = List.copyOf(searchPath);
  }

  /**
   * Reads a library.
   *
   * @throws IOException if it cannot be read or is no whole 64-bit ELF shared library
   */
  static ElfFile read(Path path) throws IOException {
    try (FileChannel file = FileChannel.open(path)) {
      return new Reader(path, file, file.size()).read();
    }
  }

  private record Segment(int type, long offset, long address, long size) {}

  private static final class Reader {
    private final Path path;
    private final FileChannel file;
    private final long fileSize;
    private ByteOrder order = ByteOrder.LITTLE_ENDIAN;

    Reader(Path path, FileChannel file, long fileSize) {
      this.path = path;
      this.file = file;
      this.fileSize = fileSize;
    }

    ElfFile read() throws IOException {
      ByteBuffer header = bytes(0, HEADER, "header");
      if (header.getInt(0) != 0x464c457f || header.get(4) != 2) {
        throw broken("it does not start like a 64-bit ELF file");
      }
      order = header.get(5) == 2 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
      header.order(order);
      List<Segment> segments = segments(header);
      List<String> needed = new ArrayList<>();
      List<String> runPath = new ArrayList<>();
      List<String> rPath = new ArrayList<>();
      for (Segment segment : segments) {
        if (segment.type() == SEGMENT_DYNAMIC) {
          dynamic(segment, segments, needed, tag -> tag == TAG_RUNPATH ? runPath : rPath);
        }
      }
      int machine = Short.toUnsignedInt(header.getShort(18));
      return new ElfFile(machine, needed, runPath.isEmpty() ? rPath : runPath);
    }

    private List<Segment> segments(ByteBuffer header) throws IOException {
      long offset = header.getLong(32);
      int entrySize = Short.toUnsignedInt(header.getShort(54));
      int count = Short.toUnsignedInt(header.getShort(56));
      if (entrySize != SEGMENT) {
        throw broken("program headers of " + entrySize + " bytes");
      }
      ByteBuffer table = bytes(offset, entrySize * count, "program headers");
      List<Segment> segments = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int at = i * entrySize;
        segments.add(
            new Segment(
                table.getInt(at),
                table.getLong(at + 8),
                table.getLong(at + 16),
                table.getLong(at + 32)));
      }
      return segments;
    }

    private interface Paths {
      List<String> of(long tag);
    }

    private void dynamic(
        Segment segment, List<Segment> segments, List<String> needed, Paths searchPaths)
        throws IOException {
      if (segment.size() < 0 || segment.size() > MAX_DYNAMIC * (long) DYNAMIC_ENTRY) {
        throw broken("a dynamic section of " + segment.size() + " bytes");
      }
      ByteBuffer table = bytes(segment.offset(), (int) segment.size(), "dynamic section");
      long strings = -1;
      for (int at = 0; at + DYNAMIC_ENTRY <= table.limit(); at += DYNAMIC_ENTRY) {
        if (table.getLong(at) == TAG_STRINGS) {
          strings = fileOffset(table.getLong(at + 8), segments);
        }
      }
      for (int at = 0; at + DYNAMIC_ENTRY <= table.limit(); at += DYNAMIC_ENTRY) {
        long tag = table.getLong(at);
        if (tag == TAG_END) {
          break;
        }
        if (tag == TAG_NEEDED) {
          needed.add(string(strings, table.getLong(at + 8)));
        } else if (tag == TAG_RUNPATH || tag == TAG_RPATH) {
          searchPaths.of(tag).addAll(List.of(string(strings, table.getLong(at + 8)).split(":")));
        }
      }
    }

    private long fileOffset(long address, List<Segment> segments) throws IOException {
      for (Segment segment : segments) {
        long into = address - segment.address();
        if (segment.type() == SEGMENT_LOAD && into >= 0 && into < segment.size()) {
          return segment.offset() + into;
        }
      }
      throw broken("names at address " + address + ", which no segment holds");
    }

    private String string(long table, long offset) throws IOException {
      if (table < 0 || offset < 0 || offset > fileSize || table > fileSize - offset) {
        throw broken("a name at offset " + offset + " of the table at " + table);
      }
      int most = (int) Math.min(MAX_NAME, fileSize - table - offset);
      ByteBuffer name = bytes(table + offset, most, "a name");
      int length = 0;
      while (length < most && name.get(length) != 0) {
        length++;
      }
      if (length == most) {
        throw broken("a name without an end");
      }
      return new String(name.array(), 0, length, StandardCharsets.UTF_8);
    }

    private ByteBuffer bytes(long offset, int length, String what) throws IOException {
      if (offset < 0 || offset > fileSize || length > fileSize - offset) {
        throw broken(
            what + " of " + length + " bytes at " + offset + " is beyond its end " + fileSize);
      }
      ByteBuffer bytes = ByteBuffer.allocate(length).order(order);
      while (bytes.hasRemaining()) {
        if (file.read(bytes, offset + bytes.position()) < 0) {
          throw broken("it became shorter while it was read");
        }
      }
      return bytes.flip();
    }

    private IOException broken(String what) {
      return new IOException(path + " is not a sound ELF library: " + what);
    }
  }
}
