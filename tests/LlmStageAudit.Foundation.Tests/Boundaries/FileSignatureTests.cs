using System.IO.Compression;
using System.Text;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Foundation.Tests.Boundaries;

/// <summary>First bytes as the formats' own documents, or the programs that write them, have them.</summary>
public sealed class FileSignatureTests
{
    [Theory]
    [InlineData("PK\u0003\u0004\u0014\0", FileFormat.Zip)]
    [InlineData("PAR1\u0015\u0004", FileFormat.Parquet)]
    [InlineData("PAR1", FileFormat.Parquet)]
    [InlineData("PARE\u0015\u0004", FileFormat.EncryptedParquet)]
    [InlineData("ARROW1\0\0\u00FF\u00FF\u00FF\u00FF", FileFormat.Arrow)]
    [InlineData("FEA1\0\0\0\0", FileFormat.Arrow)]
    [InlineData("\u00FF\u00FF\u00FF\u00FF\u00D8\0\0\0", FileFormat.Arrow)]
    [InlineData("ORC\0\0\0", FileFormat.OtherTable)]
    [InlineData("SQLite format 3\0", FileFormat.OtherTable)]
    [InlineData("Obj\u0001\u0004\u0014avro.codec", FileFormat.OtherTable)]
    [InlineData("\u0089HDF\r\n\u001A\n", FileFormat.OtherTable)]
    [InlineData("(\u00B5/\u00FD\u0004", FileFormat.OtherArchive)]
    [InlineData("BZh91AY&SY\u0001\0", FileFormat.OtherArchive)]
    [InlineData("\u00FD7zXZ\0\0", FileFormat.OtherArchive)]
    [InlineData("\u0002\0\0\0\0\0\0\0{}", FileFormat.Safetensors)]
    [InlineData("\u001F\u008B\0\0\0\0\0\0{\"", FileFormat.Safetensors)]
    [InlineData("\u0080\u0002\0\0\0\0\0\0{\"", FileFormat.Safetensors)]
    [InlineData("GGUF\u0003\0\0\0", FileFormat.Gguf)]
    [InlineData("\u0080\u0004\u0095", FileFormat.Pickle)]
    [InlineData("\u0093NUMPY\u0001\0", FileFormat.NumPy)]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", FileFormat.GitLfsPointer)]
    [InlineData("\u00EF\u00BB\u00BF \n<!DOCTYPE HTML>\n<html>", FileFormat.WebPage)]
    [InlineData("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", FileFormat.WebPage)]
    [InlineData("Entry not found", FileFormat.Refusal)]
    [InlineData("404: Not Found", FileFormat.Refusal)]
    [InlineData("Invalid username or password.\n", FileFormat.Refusal)]
    [InlineData("%PDF-1.7\n", FileFormat.Document)]
    [InlineData("\u00FF\u00FEi\0d\0", FileFormat.WideText)]
    [InlineData("\u00FE\u00FF\0i\0d", FileFormat.WideText)]
    [InlineData("i\0d\0,\0x\0", FileFormat.WideText)]
    [InlineData("\0i\0d\0,\0x", FileFormat.WideText)]
    public void First_bytes_say_what_a_file_is(string latin, FileFormat expected)
    {
        var signature = FileSignature.Of(Encoding.Latin1.GetBytes(latin));
        Assert.Equal(expected, signature?.Format);
        Assert.NotEmpty(signature!.Found);
        Assert.NotEmpty(signature.Remedy);
    }

    [Theory]
    [InlineData("")]
    [InlineData("id,text,label\n1,a,0\n")]
    [InlineData("{\"text\": \"Entry not found\"}\n")]
    [InlineData("ORCID,name\n1,b\n")]
    [InlineData("BZhang,GGUF\n1,2\n")]
    [InlineData("Access to water,label\nfine,0\n")]
    [InlineData("404,label\n1,2\n")]
    [InlineData("\u00EF\u00BB\u00BFid,text\n")]
    [InlineData("html\n")]
    [InlineData("model: { path: x }\n")]
    [InlineData("P")]
    public void Plain_text_has_no_signature(string latin) => Assert.Null(FileSignature.Of(Encoding.Latin1.GetBytes(latin)));

    [Fact]
    public void What_the_base_library_compresses_is_gzip()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest)) gzip.Write("id,text\n"u8);
        Assert.Equal(FileFormat.Gzip, FileSignature.Of(bytes.ToArray())?.Format);
    }

    /// <summary>
    /// The command that is advised is one that iconv takes: a mark is read by UTF-16, and where there is none the order is named.
    /// </summary>
    [Theory]
    [InlineData(true, false, "iconv -f UTF-16 -t UTF-8")]
    [InlineData(true, true, "iconv -f UTF-16 -t UTF-8")]
    [InlineData(false, false, "iconv -f UTF-16LE -t UTF-8")]
    [InlineData(false, true, "iconv -f UTF-16BE -t UTF-8")]
    public void Wide_text_is_told_how_to_convert(bool hasMark, bool isBigEndian, string command)
    {
        var encoding = new UnicodeEncoding(isBigEndian, hasMark);
        byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes("id,text\r\n1,gut\r\n")];
        Assert.Contains(command, FileSignature.Of(bytes)!.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_is_opened_only_where_it_is_one()
    {
        var path = Path.Combine(Path.GetTempPath(), $"signature-{Guid.NewGuid():N}");
        try
        {
            File.WriteAllText(path, "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n");
            var fault = Assert.Throws<ForeignFileException>(() => ForeignFile.OpenText(path));
            Assert.Equal("it is a Git LFS pointer, not the file it stands for; fetch the file: git lfs pull", fault.Message);
            File.WriteAllText(path, "{}");
            using var stream = ForeignFile.OpenText(path);
            Assert.Equal(0, stream.Position);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
