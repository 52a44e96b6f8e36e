using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Torch.Loading;
using EgpuFleet.Kernels.Torch.Measuring;
using EgpuFleet.Kernels.Torch.SampleModel;
using EgpuFleet.Kernels.Torch.SampleModel.Corpus;
using EgpuFleet.Kernels.Torch.Worker;
using Microsoft.Extensions.Logging;
using TorchSharp;

const string Usage = """
    --socket PATH                    serve as a worker; agents start it so
    make-loadable LIBRARY            fit TorchSharp's native library to an older C++ runtime
    corpus COUNT                     print generated documents
    prompts COUNT                    print lines of a batch input file
    train-sample FILE STEPS THREADS  train the sample model and write it as GGUF
    measure ROUNDS                   speed of training on one thread, a line of JSON a round
    """;

Allocator.KeepFreedMemory();
switch (args)
{
    case [WorkerLaunch.SocketOption, ..]:
        using (
            var loggers = LoggerFactory.Create(logging =>
                logging
                    .AddSimpleConsole(console => console.SingleLine = true)
                    .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
            )
        )
            return await WorkerProgram.RunAsync(args, new TorchEngine(), loggers);
    case ["make-loadable", var library]:
        if (TorchLibrary.MakeLoadable(library))
            Console.WriteLine($"{library}: made loadable with this machine's C++ runtime.");
        return 0;
    case ["corpus", var count] when int.TryParse(count, out var documents):
        foreach (var document in CorpusGenerator.Generate(documents, SampleRecipe.TinyFleet(1).Training.Seed))
            Console.WriteLine(document.Text);
        return 0;
    case ["prompts", var count] when int.TryParse(count, out var prompts):
        foreach (var line in DemoPrompts.Generate(prompts, SampleRecipe.TinyFleet(1).Training.Seed))
            Console.WriteLine(line);
        return 0;
    case ["train-sample", var file, var steps, var threads]
        when int.TryParse(steps, out var stepCount) && int.TryParse(threads, out var threadCount):
        using (var cut = new CancellationTokenSource())
        {
            Console.CancelKeyPress += (_, press) =>
            {
                press.Cancel = true;
                cut.Cancel();
            };
            torch.set_num_threads(threadCount);
            new SampleRun(SampleRecipe.TinyFleet(stepCount), Console.Out, TimeProvider.System).Execute(file, cut.Token);
        }
        return 0;
    case ["measure", var count] when int.TryParse(count, out var rounds):
        TrainingSpeed.Print(rounds, Console.Out);
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
