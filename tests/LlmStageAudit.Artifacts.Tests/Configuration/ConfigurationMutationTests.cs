using System.Text;
using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Artifacts.Errors;

namespace LlmStageAudit.Artifacts.Tests.Configuration;

public sealed class ConfigurationMutationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damaged_configurations_load_or_say_what_is_wrong()
    {
        var random = new Random(20250101);
        var run = Encoding.UTF8.GetBytes(SampleYaml.Run);
        var probe = Encoding.UTF8.GetBytes(SampleYaml.Probe);
        var path = _folder.File("mutated.yaml");
        var (loaded, refused) = (0, 0);
        for (var i = 0; i < 2000; i++)
        {
            var isProbe = i % 4 == 0;
            File.WriteAllBytes(path, Mutation.Of(isProbe ? probe : run, random));
            try
            {
                if (isProbe) ProbeConfigurationReader.Read(path);
                else RunConfigurationReader.Read(path, []);
                loaded++;
            }
            catch (ConfigurationException exception)
            {
                Assert.NotEmpty(exception.Faults);
                Assert.All(exception.Faults, fault => Assert.DoesNotContain('\n', fault));
                refused++;
            }
        }

        Assert.True(loaded > 50 && refused > 500, $"{loaded} loaded, {refused} refused");
    }
}
