using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LlmStageAudit.Cli.Tests.Tampering;

/// <summary>
/// A trajectory log taken apart, by a second reading of the format: 16 bytes, then records of a 16-byte frame (magic, u32 header length,
/// u64 payload length), the header, the payload and 32 bytes of hash. Nothing of the product takes part.
/// </summary>
internal sealed class LogSurgery
{
    private const int PreambleBytes = 16;
    private const int HashBytes = 32;

    private readonly byte[] _preamble;

    private LogSurgery(byte[] preamble) => _preamble = preamble;

    public List<byte[]> Records { get; } = [];

    public static LogSurgery Open(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var log = new LogSurgery(bytes[..PreambleBytes]);
        for (var at = PreambleBytes; at < bytes.Length;)
        {
            var end = at + LengthOf(bytes.AsSpan(at));
            log.Records.Add(bytes[at..end]);
            at = end;
        }

        return log;
    }

    /// <summary>The record a byte of an untouched log lies in, from 1; null in the preamble.</summary>
    public int? RecordAt(long offset)
    {
        long end = PreambleBytes;
        if (offset < end) return null;
        for (var i = 0; i < Records.Count; i++)
        {
            end += Records[i].Length;
            if (offset < end) return i + 1;
        }

        throw new ArgumentOutOfRangeException(nameof(offset));
    }

    public byte[] ToBytes() => [.. _preamble, .. Records.SelectMany(record => record)];

    public void Save(string path) => File.WriteAllBytes(path, ToBytes());

    /// <summary>Changes the text of a record's header; its hash stays what it was.</summary>
    public void EditHeader(int record, Func<string, string> change)
    {
        var bytes = Records[record - 1];
        var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4));
        var header = Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(bytes, 16, length)));
        byte[] edited = [.. bytes[..16], .. header, .. bytes[(16 + length)..]];
        BinaryPrimitives.WriteUInt32LittleEndian(edited.AsSpan(4), (uint)header.Length);
        Assert.NotEqual(bytes, edited);
        Records[record - 1] = edited;
    }

    /// <summary>Changes a byte of a record's gradient.</summary>
    public void EditGradient(int record) => Records[record - 1][^(HashBytes + 3)] ^= 0x20;

    /// <summary>Computes the hashes of records anew.</summary>
    /// <param name="genesis">The text that the chain begins with.</param>
    public void Rehash(int first, int last, string genesis)
    {
        for (var record = first; record <= last; record++)
        {
            var previous = record == 1 ? SHA256.HashData(Encoding.UTF8.GetBytes(genesis)) : Records[record - 2][^HashBytes..];
            var bytes = Records[record - 1];
            SHA256.HashData([.. previous, .. bytes[..^HashBytes]]).CopyTo(bytes.AsSpan(bytes.Length - HashBytes));
        }
    }

    private static int LengthOf(ReadOnlySpan<byte> record) =>
        16
        + (int)BinaryPrimitives.ReadUInt32LittleEndian(record[4..])
        + (int)BinaryPrimitives.ReadUInt64LittleEndian(record[8..])
        + HashBytes;
}
