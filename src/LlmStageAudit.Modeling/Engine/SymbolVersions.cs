using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// TorchSharp's bridge is built on a system whose libstdc++ is newer than Debian 12's and Ubuntu 22.04's, and the loader refuses it there
/// for a version (GLIBCXX_3.4.32) behind which it uses nothing. On a copy in memory, that one version is marked as weak (VER_FLG_WEAK),
/// which is the loader's own word for "go on without it"; the file on the disk stays as it is. Where the library loads, nothing happens.
/// Layout: System V ABI, Linux Standard Base, symbol versioning (Elf64_Verneed, Elf64_Vernaux).
/// </summary>
internal static partial class SymbolVersions
{
    private const ushort Weak = 2;
    private const uint NeededVersions = 0x6ffffffe;
    private const long MostBytes = 256 << 20;

    public static bool TryOpenRelaxed(string file, string reason, out nint handle)
    {
        handle = 0;
        if (MissingVersion().Match(reason) is not { Success: true } missing) return false;
        var image = ForeignFile.ReadBytes(file, MostBytes);
        return MarkWeak(image, missing.Value) && SystemLibrary.Open(SystemLibrary.FileInMemory(Path.GetFileName(file), image), out handle, out _);
    }

    /// <summary>
    /// Marks a needed version as weak in the image of a 64-bit little-endian library; false where it needs no such version, or ends before
    /// what it says it holds.
    /// </summary>
    public static bool MarkWeak(Span<byte> image, string version)
    {
        try
        {
            var sections = checked((int)U64(image, 0x28));
            var (size, count) = (U16(image, 0x3A), U16(image, 0x3C));
            for (var i = 0; i < count; i++)
            {
                var section = sections + (i * size);
                if (U32(image, section + 4) != NeededVersions) continue;
                var strings = checked((int)U64(image, sections + ((int)U32(image, section + 0x28) * size) + 0x18));
                return Mark(image, checked((int)U64(image, section + 0x18)), strings, version);
            }
        }
        catch (Exception exception) when (exception is ArgumentOutOfRangeException or OverflowException)
        {
            // It ends before what it says it holds.
        }

        return false;
    }

    private static bool Mark(Span<byte> image, int need, int strings, string version)
    {
        for (uint next; ; need = checked(need + (int)next))
        {
            var entry = need + (int)U32(image, need + 8);
            for (var left = U16(image, need + 2); left > 0; left--)
            {
                var name = image[(strings + (int)U32(image, entry + 8))..];
                if (Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)]) == version)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(image[(entry + 4)..], (ushort)(U16(image, entry + 4) | Weak));
                    return true;
                }

                entry += (int)U32(image, entry + 12);
            }

            next = U32(image, need + 12);
            if (next == 0) return false;
        }
    }

    private static ushort U16(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image[at..]);

    private static uint U32(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private static ulong U64(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt64LittleEndian(image[at..]);

    [GeneratedRegex(@"GLIBCXX_[0-9.]+(?=' not found)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MissingVersion();
}
