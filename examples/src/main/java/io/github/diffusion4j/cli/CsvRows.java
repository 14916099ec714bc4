package io.github.diffusion4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Rows of CSV (RFC 4180) with the lines they begin in. */
final class CsvRows {

  /**
   * A row.
   *
   * @param line where it begins, from 1
   * @param cells its texts
   */
  record Row(int line, List<String> cells) {

    /** Copies the list. */
    Row {
      cells = List.copyOf(cells);
    }
  }

  /** A row is not CSV. */
  static final class BadRowException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int line;

    BadRowException(int line, JsonProcessingException cause) {
      super(cause.getOriginalMessage(), cause);
      this.line = line;
    }

    /** Where the row begins, from 1. */
    int line() {
      return line;
    }
  }

  private CsvRows() {}

  /** All rows but empty ones. */
  static List<Row> read(String text) throws IOException, BadRowException {
    CsvMapper mapper = CsvMapper.builder().enable(CsvParser.Feature.WRAP_AS_ARRAY).build();
    List<Row> rows = new ArrayList<>();
    int line = 1;
    try (CsvParser parser = mapper.getFactory().createParser(text)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.START_ARRAY) {
        List<String> cells = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          cells.add(parser.getText());
        }
        if (cells.size() > 1 || !cells.get(0).isBlank()) {
          rows.add(new Row(line, cells));
        }
        line = parser.currentLocation().getLineNr();
      }
    } catch (JsonProcessingException e) {
      throw new BadRowException(line, e);
    }
    return rows;
  }
}
