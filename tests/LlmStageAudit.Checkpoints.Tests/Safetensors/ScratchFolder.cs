using System.Buffers.Binary;
using System.Text;

namespace LlmStageAudit.Checkpoints.Tests.Safetensors;

/// <summary>A folder of its own for one test, deleted afterwards, with ways to put raw bytes into it.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("checkpoints-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string WriteText(string name, string text) => WriteBytes(name, Encoding.UTF8.GetBytes(text));

    public string WriteBytes(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    /// <summary>A safetensors file from a header's text and the bytes after it; the header length can be a lie.</summary>
    public string WriteRaw(string header, byte[] content, ulong? lengthBytes = null, string name = "raw.safetensors") =>
        WriteBytes(name, Raw(Encoding.UTF8.GetBytes(header), content, lengthBytes));

    public static byte[] Raw(byte[] header, byte[] content, ulong? lengthBytes = null)
    {
        var prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, lengthBytes ?? (ulong)header.Length);
        return [.. prefix, .. header, .. content];
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
