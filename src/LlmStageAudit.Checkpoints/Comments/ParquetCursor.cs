using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using ParquetSharp;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// Walks over one column of a row group, cell by cell. A batch of values lies in the library's memory; cells are made one by one.
/// </summary>
internal abstract class ParquetCursor : IDisposable
{
    protected const int BatchRows = 1024;
    private const int MostIds = 16 << 20;

    /// <summary>Whether nothing follows.</summary>
    public abstract bool IsAtEnd { get; }

    /// <summary>The next row's cell: text, ids, or null.</summary>
    /// <exception cref="ParquetCellException">The cell cannot be used.</exception>
    public abstract object? Next();

    public abstract void Dispose();

    public static ParquetCursor Open(RowGroupReader rows, ParquetField field, IReadOnlyList<string>? classNames)
    {
        var column = rows.Column(field.Leaf);
        var type = column.ColumnDescriptor;
        var logical = type.LogicalType;
        return column switch
        {
            ColumnReader<bool> reader => new Cursor<bool>(reader, field, value => value ? "true" : "false"),
            ColumnReader<int> reader => new Cursor<int>(reader, field, Integer32(logical, classNames is not null)),
            ColumnReader<long> reader => new Cursor<long>(reader, field, Integer64(logical, classNames is not null)),
            ColumnReader<Int96> reader => new Cursor<Int96>(reader, field, Nanoseconds),
            ColumnReader<float> reader => new Cursor<float>(reader, field, value => float.IsFinite(value) ? Shown(value) : null),
            ColumnReader<double> reader => new Cursor<double>(reader, field, value => double.IsFinite(value) ? Shown(value) : null),
            ColumnReader<ByteArray> reader when new ByteTexts(logical) is var texts =>
                new Cursor<ByteArray>(reader, field, texts.Text, texts.Forget),
            ColumnReader<FixedLenByteArray> reader => new Cursor<FixedLenByteArray>(
                reader, field, value => Fixed(Bytes(value.Pointer, type.TypeLength), logical)),
            _ => throw new NotSupportedException($"the type {type.PhysicalType}"),
        };
    }

    private static Func<int, object?> Integer32(LogicalType type, bool isClass) => type switch
    {
        NullLogicalType => _ => null,
        IntLogicalType { IsSigned: false } => value => Shown((uint)value),
        DecimalLogicalType number => value => Decimal(value, number.Scale),
        DateLogicalType => value => DateOnly.FromDateTime(DateTime.UnixEpoch).AddDays(value).ToString("o", CultureInfo.InvariantCulture),
        _ => value => isClass && value < 0 ? null : Shown(value),
    };

    private static Func<long, object?> Integer64(LogicalType type, bool isClass) => type switch
    {
        IntLogicalType { IsSigned: false } => value => Shown((ulong)value),
        DecimalLogicalType number => value => Decimal(value, number.Scale),
        _ => value => isClass && value < 0 ? null : Shown(value),
    };

    // Nanoseconds of the day and the Julian day, of which the epoch has the number 2440588.
    private static object Nanoseconds(Int96 value)
    {
        var ofDay = ((long)value.B << 32) | (uint)value.A;
        return (((new BigInteger((uint)value.C) - 2_440_588) * 86_400_000_000_000) + ofDay).ToString(CultureInfo.InvariantCulture);
    }

    private static object? Fixed(byte[] bytes, LogicalType type)
    {
        switch (type)
        {
            case DecimalLogicalType number: return Decimal(new BigInteger(bytes, isBigEndian: true), number.Scale);
            case UuidLogicalType: return new Guid(bytes, bigEndian: true).ToString();
            case Float16LogicalType:
                var half = BinaryPrimitives.ReadHalfLittleEndian(bytes);
                return Half.IsFinite(half) ? Shown(half) : null;
            default: return new UnreadCell("bytes");
        }
    }

    private static string Decimal(BigInteger value, int scale)
    {
        if (scale == 0) return value.ToString(CultureInfo.InvariantCulture);
        var digits = BigInteger.Abs(value).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        return $"{(value.Sign < 0 ? "-" : "")}{digits[..^scale]}.{digits[^scale..]}";
    }

    private static string Shown<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static byte[] Bytes(IntPtr pointer, int length)
    {
        var bytes = new byte[length];
        Marshal.Copy(pointer, bytes, 0, length);
        return bytes;
    }

    /// <summary>Texts of byte arrays. Equal values of a dictionary lie at one place, and become one text.</summary>
    private sealed class ByteTexts(LogicalType type)
    {
        private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

        private readonly Dictionary<(IntPtr, int), object> _known = [];

        public object Text(ByteArray value)
        {
            if (value.Length == 0) return "";
            if (_known.TryGetValue((value.Pointer, value.Length), out var text)) return text;
            return _known[(value.Pointer, value.Length)] = Decode(value);
        }

        /// <summary>The values of the next batch lie elsewhere.</summary>
        public void Forget() => _known.Clear();

        private object Decode(ByteArray value)
        {
            if (value.Length > DelimitedTable.FieldLimitCharacters)
                throw new ParquetCellException($"{value.Length} bytes", $"at most {DelimitedTable.FieldLimitCharacters}");
            var bytes = Bytes(value.Pointer, value.Length);
            if (type is DecimalLogicalType number) return Decimal(new BigInteger(bytes, isBigEndian: true), number.Scale);
            try
            {
                return Strict.GetString(bytes);
            }
            catch (DecoderFallbackException fault) when (type is StringLogicalType or JsonLogicalType or EnumLogicalType)
            {
                throw new ParquetCellException($"the byte 0x{bytes[fault.Index]:X2} at offset {fault.Index} is not UTF-8", "UTF-8");
            }
            catch (DecoderFallbackException)
            {
                return new UnreadCell("bytes that are no text");
            }
        }
    }

    private sealed class Cursor<T>(ColumnReader<T> reader, ParquetField field, Func<T, object?> convert, Action? beforeBatch = null)
        : ParquetCursor
        where T : unmanaged
    {
        private readonly short _definedLevel = reader.ColumnDescriptor.MaxDefinitionLevel;
        private readonly short[] _definitions = new short[BatchRows];
        private readonly short[] _repetitions = new short[BatchRows];
        private readonly T[] _values = new T[BatchRows];
        private long _levels;
        private int _level;
        private int _value;
        private long _valueCount;

        public override bool IsAtEnd => !HasLevel();

        public override object? Next()
        {
            if (!HasLevel()) throw new InvalidDataException("fewer values than rows");
            if (!field.IsList) return Take() is { } value ? convert(value) : null;
            return NextList();
        }

        public override void Dispose() => reader.Dispose();

        private object? NextList()
        {
            var level = _definitions[_level];
            if (level < field.ListLevel)
            {
                _level++;
                // One level below the list's own it is there and empty, further below it is absent.
                return level == field.ListLevel - 1 ? Array.Empty<int>() : null;
            }

            var ids = new List<int>();
            var isWhole = true;
            do
            {
                if (ids.Count == MostIds) throw new ParquetCellException($"a list of more than {MostIds} integers", "shorter lists");
                isWhole &= Take() is { } value && TryId(value, out var id) && Add(ids, id);
            }
            while (HasLevel() && _repetitions[_level] > 0);
            return isWhole ? ids.ToArray() : UnreadCell.MixedList;

            static bool Add(List<int> ids, int id)
            {
                ids.Add(id);
                return true;
            }
        }

        private static bool TryId(T value, out int id)
        {
            var wide = value is int narrow ? narrow : value is long whole ? whole : long.MaxValue;
            id = (int)wide;
            return wide is >= int.MinValue and <= int.MaxValue;
        }

        private T? Take()
        {
            var isDefined = _definitions[_level++] == _definedLevel;
            if (!isDefined) return null;
            return _value < _valueCount ? _values[_value++] : throw new InvalidDataException("fewer values than levels");
        }

        private bool HasLevel()
        {
            if (_level < _levels) return true;
            beforeBatch?.Invoke();
            while (reader.HasNext)
            {
                _levels = reader.ReadBatch(BatchRows, _definitions, _repetitions, _values, out _valueCount);
                if (_definedLevel == 0) _definitions.AsSpan().Clear();
                (_level, _value) = (0, 0);
                if (_levels > 0) return true;
            }

            return false;
        }
    }
}

/// <summary>A value of a Parquet file that cannot be a cell.</summary>
internal sealed class ParquetCellException(string found, string expected) : Exception(found)
{
    public string Expected => expected;
}
