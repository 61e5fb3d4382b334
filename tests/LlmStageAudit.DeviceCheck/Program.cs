using System.Globalization;
using System.Reflection;
using System.Text.Json;
using LlmStageAudit.DeviceCheck;

// device-check PROJECT SECONDS FILE: the tests of that project in this process, without an SDK; their counts as JSON in FILE. Ends with 0
// where all that ran passed, 1 where one failed, 2 for other arguments. STAGEAUDIT_TEST_DEVICE says where they compute.
if (args is not [var project, var limit, var file] || !int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
{
    Console.Error.WriteLine("usage: device-check PROJECT SECONDS FILE, such as: device-check Modeling 60 modeling.json");
    return 2;
}

var result = TestRun.Of(Assembly.Load($"LlmStageAudit.{project}.Tests"), TimeSpan.FromSeconds(seconds));
File.WriteAllText(file, JsonSerializer.Serialize(result, JsonSerializerOptions.Web));
return result.Failed == 0 ? 0 : 1;
