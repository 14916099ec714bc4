package io.github.diffusion4j.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** A flight recording of this process's garbage collections, allocations and direct memory. */
final class Flight implements AutoCloseable {

  private static final String COLLECTION = "jdk.GarbageCollection";
  private static final String ALLOCATION = "jdk.ObjectAllocationSample";
  private static final String DIRECT = "jdk.DirectBufferStatistics";
  private static final Duration PERIOD = Duration.ofSeconds(5);
  private static final int CLASSES = 8;
  private static final double MIB = 1L << 20;

  private final Recording recording;

  private Flight(Recording recording) {
    this.recording = recording;
  }

  /** Begins to record. */
  static Flight begin() {
    Recording recording = new Recording();
    recording.enable(COLLECTION);
    recording.enable(ALLOCATION).with("throttle", "50/s");
    recording.enable(DIRECT).withPeriod(PERIOD);
    recording.start();
    return new Flight(recording);
  }

  /** Ends, writes a file, and sums it up. */
  String end(Path file) throws IOException {
    recording.stop();
    recording.dump(file);
    return Summary.of(file).toString();
  }

  @Override
  public void close() {
    recording.close();
  }

  /** What a recording holds. */
  static final class Summary {
    private final Map<String, Long> allocated = new HashMap<>();
    private int collections;
    private Duration paused = Duration.ZERO;
    private Duration longest = Duration.ZERO;
    private long direct;
    private long bytes;

    private Summary() {}

    /** Reads a recording. */
    static Summary of(Path file) throws IOException {
      Summary summary = new Summary();
      try (RecordingFile events = new RecordingFile(file)) {
        while (events.hasMoreEvents()) {
          summary.add(events.readEvent());
        }
      }
      return summary;
    }

    private void add(RecordedEvent event) {
      switch (event.getEventType().getName()) {
        case COLLECTION -> {
          Duration pause = event.getDuration("sumOfPauses");
          collections++;
          paused = paused.plus(pause);
          longest = pause.compareTo(longest) > 0 ? pause : longest;
        }
        case ALLOCATION -> {
          long weight = event.getLong("weight"); // bytes that the sample stands for
          bytes += weight;
          allocated.merge(event.getClass("objectClass").getName(), weight, Long::sum);
        }
        case DIRECT -> direct = Math.max(direct, event.getLong("memoryUsed"));
        default -> {
          // Of the recorder itself.
        }
      }
    }

    @Override
    public String toString() {
      return allocated.entrySet().stream()
          .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
          .limit(CLASSES)
          .map(entry -> "  %5.1f %% %s".formatted(100.0 * entry.getValue() / bytes, entry.getKey()))
          .collect(
              Collectors.joining(
                  "\n",
                  "collections: %d, pauses %d ms in all, %d ms at most%n"
                          .formatted(collections, paused.toMillis(), longest.toMillis())
                      + "direct buffers: %.1f MiB at most%n".formatted(direct / MIB)
                      + "allocated on the heap, about %.0f MiB, of it%n".formatted(bytes / MIB),
                  ""));
    }
  }
}
