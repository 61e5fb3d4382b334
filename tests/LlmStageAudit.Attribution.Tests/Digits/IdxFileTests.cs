using System.IO.Compression;
using LlmStageAudit.Benchmarks.Digits;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Digits;

public sealed class IdxFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Images_and_labels_are_read_as_written()
    {
        var images = Write("images", [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 51, 102, 153, 204, 255, 1, 2]);
        var labels = Write("labels", [0, 0, 8, 1, 0, 0, 0, 2, 7, 3]);
        var digits = DigitSet.Read(images, labels);
        Assert.Equal((2, 2), (digits.Side, digits.Count));
        Assert.Equal([0f, 0.2f, 0.4f, 0.6f], digits.Images[0]);
        Assert.Equal([0.8f, 1f, 1 / 255f, 2 / 255f], digits.Images[1]);
        Assert.Equal([7, 3], digits.Labels);
    }

    [Theory]
    [InlineData("the magic number 00000803", 0, 0, 8, 3, 0, 0, 0, 1, 4)]
    [InlineData("the magic number 00000D01", 0, 0, 13, 1, 0, 0, 0, 1, 4)]
    [InlineData("1 elements", 0, 0, 8, 1, 0, 0, 0, 2, 4)]
    [InlineData("3 elements", 0, 0, 8, 1, 0, 0, 0, 2, 4, 5, 6)]
    [InlineData("3 bytes", 0, 0, 8)]
    public void Files_of_another_kind_or_length_are_refused(string found, params int[] bytes)
    {
        var path = Write("file", [.. bytes.Select(value => (byte)value)]);
        var error = Assert.Throws<InvalidDataException>(() => IdxFile.Read(path, dimensions: 1));
        Assert.StartsWith($"{path}: {found}; expected ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_without_a_label_each_are_refused()
    {
        var images = Write("images", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9]);
        Assert.Throws<InvalidDataException>(() => DigitSet.Read(images, Write("labels", [0, 0, 8, 1, 0, 0, 0, 2, 7, 3])));
        Assert.Throws<InvalidDataException>(() => DigitSet.Read(images, Write("labels", [0, 0, 8, 1, 0, 0, 0, 1, 10])));
    }

    [Fact]
    public void Turning_is_counter_clockwise_about_the_centre()
    {
        var digits = new DigitSet(3, [[1, 2, 3, 4, 5, 6, 7, 8, 9]], [0]);
        Near([3, 6, 9, 2, 5, 8, 1, 4, 7], digits.Rotated(90));
        Near([9, 8, 7, 6, 5, 4, 3, 2, 1], digits.Rotated(180));
        Near(digits.Images[0], digits.Rotated(0));
        // At 45 degrees the edges' middles lie at the corners' places, sqrt(2) away: beyond the edge for the most part.
        var turned = digits.Rotated(45).Images[0];
        Assert.Equal(5, turned[4], 1e-5);
        // The top's middle comes from up and right of the centre by sqrt(1/2).
        var part = Math.Sqrt(0.5);
        var top = ((1 - part) * ((part * 6) + ((1 - part) * 5))) + (part * ((part * 3) + ((1 - part) * 2)));
        Assert.Equal(top, turned[1], 1e-5);
    }

    public void Dispose() => _folder.Dispose();

    private static void Near(float[] expected, DigitSet found) =>
        Assert.All(expected.Zip(found.Images[0]), pair => Assert.Equal(pair.First, pair.Second, 1e-5));

    private string Write(string name, byte[] bytes)
    {
        var path = _folder.At(name + ".gz");
        using var file = new GZipStream(File.Create(path), CompressionMode.Compress);
        file.Write(bytes);
        return path;
    }
}
