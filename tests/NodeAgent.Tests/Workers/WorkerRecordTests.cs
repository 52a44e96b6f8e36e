using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Tests.Workers;

/// <summary>A worker of an earlier agent is adopted only where it is what would be started now.</summary>
public sealed class WorkerRecordTests
{
    private static readonly WorkerCommand Command = Of("/engines/worker", ("DEVICE", "AMD"), ("THREADS", "4"));

    public static TheoryData<string, bool> Others =>
        new()
        {
            { "same", true },
            { "executable", false },
            { "device", false },
            { "more", false },
            { "fewer", false },
        };

    [Theory]
    [MemberData(nameof(Others))]
    public void A_worker_is_that_of_a_command_by_executable_and_settings(string other, bool expected)
    {
        using var folder = new TempFolder();
        var path = folder.At("worker.json");
        new WorkerRecord(1, "then", "/socket", Command.Executable, Command.Settings).Write(path);
        var read = WorkerRecord.Read(path)!;
        Assert.Equal(
            expected,
            read.IsOf(
                other switch
                {
                    "executable" => Command with { Executable = "/engines/other" },
                    "device" => Of(Command.Executable, ("DEVICE", "NV"), ("THREADS", "4")),
                    "more" => Of(Command.Executable, ("DEVICE", "AMD"), ("THREADS", "4"), ("PYTHON", "/python")),
                    "fewer" => Of(Command.Executable, ("DEVICE", "AMD")),
                    _ => Of(Command.Executable, ("THREADS", "4"), ("DEVICE", "AMD")),
                }
            )
        );
    }

    [Fact]
    public void A_record_of_an_agent_that_told_its_workers_nothing_is_read()
    {
        using var folder = new TempFolder();
        File.WriteAllText(
            folder.At("worker.json"),
            """{"process_id":1,"started":"then","socket":"/socket","executable":"/engines/worker"}"""
        );
        var read = WorkerRecord.Read(folder.At("worker.json"))!;
        Assert.True(read.IsOf(Of("/engines/worker")));
        Assert.False(read.IsOf(Command));
    }

    private static WorkerCommand Of(string executable, params (string Name, string Value)[] settings) =>
        new(executable, settings.ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal));
}
