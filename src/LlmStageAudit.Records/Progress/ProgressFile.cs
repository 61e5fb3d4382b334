using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Records.Progress;

/// <summary>
/// How far a long computation came, as named lists of doubles. All integers are little-endian.
/// <code>
/// "SAPROG01"  key, 32 bytes: what is being computed  u32 entries
/// entry:      u16 name length  name, UTF-8  u32 values  values, float64
/// SHA-256 of everything before
/// </code>
/// </summary>
public static class ProgressFile
{
    /// <summary>Files above this are refused unread.</summary>
    public const long MaximumSizeBytes = 1L << 36;

    internal const int KeyBytes = 32;

    private const int MaximumEntries = 1 << 20;

    private static ReadOnlySpan<byte> Preamble => "SAPROG01"u8;

    /// <summary>Writes the file whole or not at all, over what was there.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="key">32 bytes that say what is being computed.</param>
    /// <param name="values">Lists by name; names of up to 65,535 bytes of UTF-8.</param>
    public static void Write(string path, ReadOnlyMemory<byte> key, IReadOnlyDictionary<string, double[]> values)
    {
        if (key.Length != KeyBytes) throw new ArgumentException($"{key.Length} bytes for a key of {KeyBytes}", nameof(key));
        AtomicFile.Write(path, stream =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            Put(Preamble);
            Put(key.Span);
            Put(BitConverter.GetBytes(values.Count));
            foreach (var (name, list) in values)
            {
                var spelled = Encoding.UTF8.GetBytes(name);
                Put(BitConverter.GetBytes(checked((ushort)spelled.Length)));
                Put(spelled);
                Put(BitConverter.GetBytes(list.Length));
                Put(MemoryMarshal.AsBytes<double>(list));
            }

            stream.Write(hash.GetHashAndReset());

            void Put(ReadOnlySpan<byte> bytes)
            {
                hash.AppendData(bytes);
                stream.Write(bytes);
            }
        });
    }

    /// <summary>What <see cref="Write"/> put there; null where there is no file, or one of another computation.</summary>
    /// <exception cref="ProgressException">The file is damaged, or cannot be read.</exception>
    public static Dictionary<string, double[]>? Read(string path, ReadOnlySpan<byte> key)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using var stream = ForeignFile.OpenRead(path, bufferBytes: 1 << 16);
            if (stream.Length is < 8 + KeyBytes + 4 + 32 or > MaximumSizeBytes)
                throw ProgressException.Damaged(path, $"{stream.Length} bytes");
            if (!HoldsItsHash(stream)) throw ProgressException.Damaged(path, "the checksum does not match the content");
            return Parse(path, stream, key);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw ProgressException.Unreadable(path, exception);
        }
    }

    private static bool HoldsItsHash(FileStream stream)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        var left = stream.Length - 32;
        while (left > 0)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, left));
            stream.ReadExactly(part);
            hash.AppendData(part);
            left -= part.Length;
        }

        var expected = new byte[32];
        stream.ReadExactly(expected);
        return hash.GetHashAndReset().AsSpan().SequenceEqual(expected);
    }

    // Lengths are still checked against what is there: the checksum keeps accidents out, not authors.
    private static Dictionary<string, double[]>? Parse(string path, FileStream stream, ReadOnlySpan<byte> key)
    {
        stream.Position = 0;
        using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        if (!reader.ReadBytes(Preamble.Length).AsSpan().SequenceEqual(Preamble))
            throw ProgressException.Damaged(path, "not a progress file, version 1");
        if (!reader.ReadBytes(KeyBytes).AsSpan().SequenceEqual(key)) return null;
        var entries = reader.ReadUInt32();
        if (entries > MaximumEntries) throw ProgressException.Damaged(path, $"{entries} entries");
        var values = new Dictionary<string, double[]>();
        for (var i = 0; i < entries; i++)
        {
            var name = Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadUInt16()));
            var count = (long)reader.ReadUInt32();
            if (count * sizeof(double) > stream.Length - stream.Position)
                throw ProgressException.Damaged(path, $"{count} values of '{name}', more than the file holds");
            var list = new double[count];
            stream.ReadExactly(MemoryMarshal.AsBytes(list.AsSpan()));
            if (!values.TryAdd(name, list)) throw ProgressException.Damaged(path, $"'{name}' twice");
        }

        return values;
    }
}

/// <summary>Saved progress of a computation that cannot be gone on with.</summary>
public sealed class ProgressException : InvalidInputException
{
    private ProgressException(string where, string found, Exception? inner = null)
        : base(Sentence(where, found, "progress as it was saved", $"begin anew without {Setting.Resuming}"), inner)
    {
    }

    internal static ProgressException Damaged(string path, string found) => new(path, found);

    internal static ProgressException Unreadable(string path, Exception inner) => new(path, $"cannot be read ({inner.Message})", inner);

    /// <summary>Something the computation needs is not among what was saved.</summary>
    /// <param name="where">The file.</param>
    /// <param name="name">The list that was looked for.</param>
    public static ProgressException Missing(string where, string name) => new(where, $"'{name}' is missing or of another size");
}
