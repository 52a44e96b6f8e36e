using EgpuFleet.Kernels.Tests.Tinygrad;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Contract;

/// <summary>The classes of one engine share a worker with the reference model and run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class LlamaEngine : ICollectionFixture<StoriesWorker>
{
    public const string Name = "llama.cpp";
}

/// <inheritdoc cref="LlamaEngine"/>
[CollectionDefinition(Name)]
public sealed class TinygradEngine : ICollectionFixture<TinygradWorker>
{
    public const string Name = "tinygrad";
}

[Collection(LlamaEngine.Name)]
public sealed class LlamaGenerationTests(StoriesWorker engine) : GenerationContract(engine);

[Collection(TinygradEngine.Name)]
public sealed class TinygradGenerationTests(TinygradWorker engine) : GenerationContract(engine);

[Collection(LlamaEngine.Name)]
public sealed class LlamaRefusalTests(StoriesWorker engine) : RefusalContract(engine);

[Collection(TinygradEngine.Name)]
public sealed class TinygradRefusalTests(TinygradWorker engine) : RefusalContract(engine);

[Collection(LlamaEngine.Name)]
public sealed class LlamaHostileModelTests(StoriesWorker engine) : HostileModelContract(engine);

[Collection(TinygradEngine.Name)]
public sealed class TinygradHostileModelTests(TinygradWorker engine) : HostileModelContract(engine);

[Collection(LlamaEngine.Name)]
public sealed class LlamaSchedulingTests(StoriesWorker engine) : SchedulingContract(engine);

[Collection(TinygradEngine.Name)]
public sealed class TinygradSchedulingTests(TinygradWorker engine) : SchedulingContract(engine);

[Collection(LlamaEngine.Name)]
public sealed class LlamaLifetimeTests(StoriesWorker engine) : LifetimeContract(engine);

[Collection(TinygradEngine.Name)]
public sealed class TinygradLifetimeTests(TinygradWorker engine) : LifetimeContract(engine);
