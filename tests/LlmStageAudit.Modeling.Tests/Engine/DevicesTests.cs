namespace LlmStageAudit.Modeling.Tests.Engine;

public sealed class DevicesTests
{
    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("cuda", "cuda:0")]
    [InlineData("cuda:3", "cuda:3")]
    public void Devices_are_spelt_as_in_PyTorch(string text, string expected) => Assert.Equal(expected, Devices.Parse(text).ToString());

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:x")]
    [InlineData("cuda:-1")]
    [InlineData("cuda: 1")]
    [InlineData("cuda:99999999999")]
    [InlineData("cuda:0:1")]
    [InlineData("CPU")]
    [InlineData("")]
    public void Unknown_devices_are_refused(string text)
    {
        var error = Assert.Throws<ArgumentException>(() => Devices.Parse(text));
        Assert.Contains($"'{text}' names no device; expected cpu, cuda or cuda:N", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DeviceType.CPU, -1, DeviceType.CPU, 0, true)]
    [InlineData(DeviceType.CUDA, -1, DeviceType.CUDA, 0, true)]
    [InlineData(DeviceType.CUDA, 1, DeviceType.CUDA, 1, true)]
    [InlineData(DeviceType.CUDA, 1, DeviceType.CUDA, 0, false)]
    [InlineData(DeviceType.CPU, 0, DeviceType.CUDA, 0, false)]
    public void Two_names_of_one_place_are_the_same(DeviceType type, int index, DeviceType otherType, int otherIndex, bool expected) =>
        Assert.Equal(expected, new Device(type, index).IsSameAs(new Device(otherType, otherIndex)));

    [Fact]
    public void The_processor_is_always_here() => Assert.Equal("cpu", Devices.Here[0]);
}
