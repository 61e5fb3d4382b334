using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Foundation.Tests.Errors;

public sealed class SettingTests
{
    [Fact]
    public void Without_a_program_settings_are_concepts()
    {
        Assert.Equal("use the gradient source exact", $"use {Setting.GradientSource} exact");
        Assert.Equal(
            "attribute RUN with the level step, the top-k 2",
            Setting.Command("attribute", "RUN", (Setting.Level, "step"), (Setting.TopK, "2")));
        Assert.Equal("retrain plan.json", Setting.Command("retrain", "plan.json"));
    }

    [Fact]
    public async Task A_program_spells_them_its_way_in_its_own_flow_of_control()
    {
        Assert.Equal("stageaudit train run.yaml +level step resuming", await Spelled());
        Assert.Null(Setting.Spelling);

        static async Task<string> Spelled()
        {
            Setting.Spelling = new Dictionary<Setting, string> { [Setting.Level] = "+level" };
            await Task.Yield();
            return await Task.Run(() => Setting.Command("train", "run.yaml", (Setting.Level, "step"), (Setting.Resuming, "")));
        }
    }
}
