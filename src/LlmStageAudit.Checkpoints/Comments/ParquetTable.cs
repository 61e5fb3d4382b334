using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using ParquetSharp;
using ParquetSharp.Schema;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// Parquet, decoded by ParquetSharp in batches of the columns that are asked for. Scalars become the text they would have in a CSV file,
/// lists of integers ids; other values are kept unread. Names of classes come from what datasets notes in the file.
/// </summary>
internal sealed class ParquetTable : CommentTable
{
    private const int MostRows = int.MaxValue;
    private const int ThriftStringLimitBytes = 16 << 20;

    private readonly TableFile _file;
    private readonly ParquetFileReader _reader;
    private readonly List<ParquetField> _fields = [];
    private readonly HashSet<string> _doubled = new(StringComparer.Ordinal);
    private readonly List<Warning> _warnings = [];

    public ParquetTable(TableFile file)
        : this(file, new CommentColumns(file.Path))
    {
    }

    private ParquetTable(TableFile file, CommentColumns columns)
        : base(columns)
    {
        _file = file;
        var raw = file.Raw();
        ParquetFooter.Check(Path, raw);
        raw.Position = 0;
        _reader = Decoded(null, () =>
        {
            using var properties = ReaderProperties.GetDefaultReaderProperties();
            properties.EnablePageChecksumVerification();
            properties.SetThriftStringSizeLimit(ThriftStringLimitBytes);
            properties.SetThriftContainerSizeLimit(1 << 20);
            return new ParquetFileReader(raw, properties, leaveOpen: true);
        });
        try
        {
            Decoded(null, () =>
            {
                ReadSchema(columns);
                CheckCounts();
                ReadClassNames(columns);
                return 0;
            });
        }
        catch
        {
            _reader.Dispose();
            throw;
        }
    }

    public override IReadOnlyList<Warning> Warnings => _warnings;

    private protected override IEnumerable<CommentRow> Read(CommentColumns columns)
    {
        var fields = _fields.Where(field => columns.SlotOrNone(field.Name) is not null).ToArray();
        foreach (var field in fields.Where(field => _doubled.Contains(field.Name)))
            throw CheckpointException.At(Path, $"the column '{field.Name}' stands there twice", "each once");
        var slots = fields.Select(field => columns.SlotOf(field.Name)).ToArray();
        var number = 0;
        for (var group = 0; group < _reader.FileMetaData.NumRowGroups; group++)
        {
            using var rows = Decoded(null, () => _reader.RowGroup(group));
            var cursors = new ParquetCursor?[fields.Length];
            try
            {
                for (var i = 0; i < fields.Length; i++)
                {
                    var field = fields[i];
                    if (field.Unread is null)
                        cursors[i] = Decoded(field, () => ParquetCursor.Open(rows, field, columns.ClassNames(field.Name)));
                }

                for (var left = rows.MetaData.NumRows; left > 0; left--)
                {
                    number++;
                    var cells = new object?[columns.SlotCount];
                    for (var i = 0; i < fields.Length; i++) cells[slots[i]] = Cell(fields[i], cursors[i], number);
                    yield return new CommentRow(columns, cells, number, line: 0);
                }

                for (var i = 0; i < fields.Length; i++)
                {
                    if (cursors[i] is { } cursor && !Decoded(fields[i], () => cursor.IsAtEnd))
                        throw Damaged(fields[i], "more values than rows");
                }
            }
            finally
            {
                foreach (var cursor in cursors) cursor?.Dispose();
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        _reader.Dispose();
        _file.Dispose();
    }

    private object? Cell(ParquetField field, ParquetCursor? cursor, int number)
    {
        try
        {
            return cursor is null ? field.Unread : cursor.Next();
        }
        catch (ParquetCellException fault)
        {
            throw CheckpointException.At($"{Path}, row {number}, column '{field.Name}'", fault.Message, fault.Expected);
        }
        catch (Exception exception) when (IsFault(exception))
        {
            throw Damaged(field, exception.Message, exception);
        }
    }

    private void ReadSchema(CommentColumns columns)
    {
        var leaf = 0;
        foreach (var node in _reader.FileMetaData.Schema.GroupNode.Fields)
        {
            using (node)
            {
                var field = ParquetField.Of(node, leaf, _reader.FileMetaData.Schema);
                leaf += field.LeafCount;
                if (!columns.TryAdd(field.Name)) _doubled.Add(field.Name);
                else if (columns.Names.Count > CommentColumns.Limit)
                    throw CheckpointException.At(Path, "too many columns", $"at most {CommentColumns.Limit}");
                _fields.Add(field);
            }
        }
    }

    private void CheckCounts()
    {
        var (said, held) = (_reader.FileMetaData.NumRows, 0L);
        for (var i = 0; i < _reader.FileMetaData.NumRowGroups; i++)
        {
            using var group = _reader.RowGroup(i);
            var rows = group.MetaData.NumRows;
            if (rows < 0 || (held += rows) > MostRows) throw CheckpointException.At(Path, $"{said} rows", $"at most {MostRows}");
            foreach (var field in _fields.Where(field => field.Unread is null && !field.IsList))
            {
                using var chunk = group.MetaData.GetColumnChunkMetaData(field.Leaf);
                if (chunk.NumValues != rows) throw Damaged(field, $"{chunk.NumValues} values in {rows} rows");
            }
        }

        if (said != held)
            throw CheckpointException.At(Path, $"a damaged footer: it says {said} rows, and its parts {held}", "a whole Parquet file");
    }

    // As datasets writes it: {"info": {"features": {"label": {"names": ["a", "b"], "_type": "ClassLabel"}}}}.
    private void ReadClassNames(CommentColumns columns)
    {
        if (_reader.FileMetaData.KeyValueMetadata?.TryGetValue("huggingface", out var noted) is not true) return;
        try
        {
            using var document = JsonDocument.Parse(noted, new JsonDocumentOptions { MaxDepth = 32 });
            foreach (var feature in document.RootElement.GetProperty("info").GetProperty("features").EnumerateObject())
            {
                if (feature.Value.ValueKind == JsonValueKind.Object && feature.Value.TryGetProperty("names", out var names))
                    columns.SetClassNames(feature.Name, [.. names.EnumerateArray().Select(name => name.GetString()!)]);
            }
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            _warnings.Add(new Warning("class-names-unread", $"{Path}: the names of its classes cannot be read ({exception.Message})"));
        }
    }

    private T Decoded<T>(ParquetField? field, Func<T> decode)
    {
        try
        {
            return decode();
        }
        catch (Exception exception) when (IsFault(exception))
        {
            throw Damaged(field, exception.Message, exception);
        }
    }

    private static bool IsFault(Exception exception) =>
        exception is ParquetException or NotSupportedException or ArgumentException or OverflowException or IOException
            or InvalidDataException;

    private CheckpointException Damaged(ParquetField? field, string found, Exception? inner = null)
    {
        if (found.Contains("crypt", StringComparison.OrdinalIgnoreCase)) return ParquetFooter.Encrypted(Path);
        return CheckpointException.At(
            field is null ? Path : $"{Path}, column '{field.Name}'", $"damaged {(field is null ? "footer" : "page")} ({found})",
            "a whole Parquet file", "download or copy it again", inner);
    }
}

/// <summary>What a column of a Parquet file holds.</summary>
/// <param name="Name">Of the column.</param>
/// <param name="Leaf">The number of its only leaf, or of its first.</param>
/// <param name="LeafCount">Leaves below it.</param>
/// <param name="IsList">A list of integers.</param>
/// <param name="Unread">What stands in its cells where its values are not read.</param>
internal sealed record ParquetField(string Name, int Leaf, int LeafCount, bool IsList, UnreadCell? Unread)
{
    /// <summary>Levels from here on say that the list is there.</summary>
    public int ListLevel { get; private init; }

    public static ParquetField Of(Node node, int leaf, SchemaDescriptor schema)
    {
        if (node is not GroupNode group)
        {
            // A repeated field without a group around it is a list as old writers had it.
            var unread = node.Repetition == Repetition.Repeated ? UnreadCell.MixedList : null;
            return new ParquetField(node.Name, leaf, 1, IsList: false, unread);
        }

        var leaves = Leaves(group).ToArray();
        var column = leaves.Length == 1 ? schema.Column(leaf) : null;
        var isList = column is { MaxRepetitionLevel: 1, PhysicalType: PhysicalType.Int32 or PhysicalType.Int64 }
            && column.LogicalType is IntLogicalType or NoneLogicalType;
        return new ParquetField(node.Name, leaf, leaves.Length, isList, isList ? null : Unreadable(group, column, leaves))
        {
            ListLevel = isList ? DefinitionLevels(column!.SchemaNode) : 0,
        };
    }

    private static UnreadCell Unreadable(GroupNode group, ColumnDescriptor? column, string[] leaves) =>
        group.LogicalType is not ListLogicalType ? UnreadCell.Object
        : column is { MaxRepetitionLevel: 1, LogicalType: StringLogicalType } ? UnreadCell.ListOfTexts
        : leaves.Any(leaf => leaf is "role" or "from") ? UnreadCell.Messages
        : UnreadCell.MixedList;

    private static IEnumerable<string> Leaves(Node node) => node is GroupNode group ? group.Fields.SelectMany(Leaves) : [node.Name];

    // Every optional or repeated node on the way to the innermost repeated one adds a level.
    private static int DefinitionLevels(Node leaf)
    {
        var (levels, isWithin) = (0, false);
        for (Node? node = leaf; node is not null; node = node.Parent)
        {
            isWithin |= node.Repetition == Repetition.Repeated;
            if (isWithin && node.Repetition != Repetition.Required) levels++;
        }

        return levels;
    }
}
