"""What happens between the steps of a random loop of PyTorch: a row for each move."""

from __future__ import annotations

MOVES = (
    "net.eval()\nwith torch.<no_grad|inference_mode>(): {take}\nnote('eval', out); net.train()",
    "net.eval(); {take}; note('eval', out.detach()); net.train()",
    "net.eval(); {take}; out.sum().backward(); net.zero_grad(); net.train()",
    "with torch.no_grad(): {take}\nnote('no gradients', out, out.requires_grad)",
    "net.eval(); {take}; before = out.detach().clone()\n"
    "with torch.no_grad():\n    for one in net.parameters(): one.mul_(0.9)\n"
    "{take}; note('before and after', before, out); net.train()",
    "net.eval()\nwith torch.no_grad(): note('each', [net(one[None]) for one in X[:3]])\n"
    "net.train()",
    "net.eval()\nwith torch.no_grad(): note('all', net(X))\nnet.train()",
    "z = X[:4].clone().requires_grad_(True); note('of the input', torch.autograd.grad("
    "net(z).sum(), z))",
    "z = X[:4].clone().requires_grad_(True); net(z).pow(2).sum().backward(); note('grad', z.grad)",
    "with torch.no_grad():\n    for one in net.parameters(): one.mul_(0.9)",
    "for one in net.parameters(): one.data = one.data * 0.95",
    "for one in net.parameters(): one.data.clamp_(-0.1, 0.1)",
    "for one in net.parameters(): one.data.copy_(one.data.flip(0))",
    "next(net.parameters()).detach().numpy()[0] *= 0.5",
    "next(net.parameters()).data[0] = 0.1",
    "list(net.parameters())[-1].data += 0.5",
    "with torch.no_grad(): list(net.parameters())[0][...] = 0.05",
    "torch.nn.utils.vector_to_parameters(0.9 * torch.nn.utils.parameters_to_vector("
    "net.parameters()), net.parameters())",
    "net.load_state_dict({{key: value * 0.9 if value.is_floating_point() else value "
    "for key, value in net.state_dict().items()}})",
    "net.load_state_dict({{key: value.clone() for key, value in net.state_dict().items()}}, "
    "assign=True)",
    "saved = copy.deepcopy(net.state_dict()); moments = copy.deepcopy(optimizer.state_dict())",
    "net.load_state_dict(saved); optimizer.load_state_dict(moments)",
    "file = io.BytesIO(); torch.save(net.state_dict(), file); file.seek(0)\n"
    "net.load_state_dict(torch.load(file))",
    "file = io.BytesIO(); torch.save(net, file); file.seek(0)\n"
    "loaded = torch.load(file, weights_only=False); note('loaded', loaded(X[:5]))",
    "twin = copy.deepcopy(net); note('twin', twin(X[:8]))",
    "twin = copy.deepcopy(net)\nfor one, other in zip(twin.parameters(), net.parameters()):\n"
    "    one.data.lerp_(other.data, 0.5)",
    "with torch.no_grad():\n    for one, other in zip(twin.parameters(), net.parameters()):\n"
    "        one.mul_(0.9).add_(other, alpha=0.1)\nnote('mean', twin.eval()(X[:4]))",
    "averaged = torch.optim.swa_utils.AveragedModel(net); averaged.update_parameters(net)\n"
    "note('averaged', averaged(X[:4]))",
    "for one in list(net.parameters())[:<1|2>]: one.requires_grad_(False)",
    "for one in net.parameters(): one.requires_grad = True",
    "for one in list(net.parameters())[:-2]: one.requires_grad = not one.requires_grad",
    "for one in net.modules():\n    if 'Norm' in type(one).__name__: one.eval()",
    "net.train()",
    "net.requires_grad_(False); note('frozen', net(X[:4])); net.requires_grad_(True)",
    "seen = []; hook = list(net.children())[0].register_forward_hook("
    "lambda part, given, out: seen.append(out.mean().item())); net(X[:8]); hook.remove()\n"
    "note('hook', seen)",
    "hook = list(net.children())[-1].register_forward_pre_hook("
    "lambda part, given: (given[0] * 0.5,)); note('pre', net(X[:8])); hook.remove()",
    "seen = []; hook = list(net.children())[0].register_full_backward_hook("
    "lambda part, into, outof: seen.append(outof[0].norm().item())); net(X[:8]).sum().backward()\n"
    "hook.remove(); note('back', seen)",
    "hook = next(net.parameters()).register_hook(lambda grad: grad * 0.5)",
    "hook.remove()",
    "list(net.parameters())[-1].register_post_accumulate_grad_hook(lambda one: one.grad.mul_(0.5))",
    "for group in optimizer.param_groups: group['lr'] *= 0.3",
    "optimizer.param_groups[0]['weight_decay'] = 0.01",
    "optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)",
    "optimizer = torch.optim.Adam(net.parameters(), eps=1e-3)",
    "optimizer.state.clear()",
    "for state in optimizer.state.values():\n    for one in state.values():\n"
    "        if torch.is_tensor(one) and one.ndim: one.mul_(0.5)",
    "{take}; (out.sum() * 0.01).backward()",
    "{take}; first = out; {take}; note('twice', first, out); (first - out * 2).mean().backward()",
    "a = net(X[:8]); b = net(X[8:16]); c = net(X[16:24]); "
    "F.triplet_margin_loss(a, b, c).backward(); optimizer.step()",
    "optimizer.zero_grad()\nfor part in (X[:4], X[4:8], X[8:11]): (net(part).pow(2).mean() / 3)"
    ".backward()\noptimizer.step()",
    "kept = [net(X[at:at + 4]) for at in (0, 4, 8)]; sum(one.mean() for one in kept).backward()",
    "net.apply(lambda part: nn.init.constant_(part.bias, 0.01) if getattr(part, 'bias', None) "
    "is not None and torch.is_tensor(part.bias) else None)",
    "for part in net.modules():\n    if isinstance(part, (nn.Conv2d, nn.Linear)):\n"
    "        nn.init.<xavier_uniform_|kaiming_normal_|orthogonal_>(part.weight)",
    "for one in net.buffers():\n    if one.is_floating_point(): one.mul_(0.9)",
    "for part in net.modules():\n    if isinstance(part, nn.modules.batchnorm._BatchNorm): "
    "part.<reset_running_stats()|momentum = 0.3|eps = 0.1>",
    "for part in net.modules():\n    if isinstance(part, nn.Dropout): part.p = 0.0\n"
    "    if hasattr(part, 'negative_slope'): part.negative_slope = 0.4",
    "for name, part in list(net.named_children()):\n    if isinstance(part, nn.ReLU): "
    "setattr(net, name, nn.Tanh())",
    "for name, part in list(net.named_children())[-1:]:\n    if isinstance(part, nn.Linear):\n"
    "        setattr(net, name, nn.Linear(part.in_features, part.out_features)); "
    "optimizer.add_param_group({{'params': getattr(net, name).parameters()}})",
    "for name, part in list(net.named_children())[:1]: setattr(net, name, nn.Sequential(part, "
    "nn.Identity()))",
    "for part in net.modules():\n    if isinstance(part, nn.Conv2d) and part.bias is not None: "
    "part.bias = None",
    "first = next(part for part in net.modules() if isinstance(part, (nn.Conv2d, nn.Linear)))\n"
    "first.weight = nn.Parameter(first.weight.detach() * 0.5); "
    "optimizer.add_param_group({{'params': [first.weight]}})",
    "first = next(part for part in net.modules() if isinstance(part, (nn.Conv2d, nn.Linear)))\n"
    "nn.utils.<spectral_norm|weight_norm>(first)",
    "first = next(part for part in net.modules() if isinstance(part, (nn.Conv2d, nn.Linear)))\n"
    "nn.utils.parametrizations.<weight_norm|spectral_norm|orthogonal>(first)",
    "first = next(part for part in net.modules() if isinstance(part, (nn.Conv2d, nn.Linear)))\n"
    "nn.utils.prune.<l1_unstructured|random_unstructured>(first, 'weight', amount=0.3)",
    "for part in net.modules():\n    if hasattr(part, 'weight_mask'): "
    "nn.utils.prune.remove(part, 'weight')",
    "net = net.double(); note('double', net(X[:4].double())); net = net.float()",
    "net.half(); net.float()",
    "net.to(memory_format=torch.channels_last)",
    "net.to('cpu'); net.cpu()",
    "net.share_memory()",
    "with torch.autocast('cpu', dtype=torch.bfloat16): {take}\nnote('dtype', str(out.dtype))",
    "traced = torch.jit.trace(net.eval(), X[:2]); note('traced', traced(X[:4])); net.train()",
    "note('scripted', torch.jit.script(net).eval()(X[:4])); net.train()",
    "parallel = nn.DataParallel(net); note('parallel', parallel(X[:6]))",
    "compiled = torch.compile(net, backend='eager'); note('compiled', compiled(X[:6]))",
    "weights = dict(net.named_parameters()); note('function', torch.func.functional_call("
    "net, {{key: one * 0.5 for key, one in weights.items()}}, (X[:4],)))",
    "net.eval(); weights = {{key: one.detach() for key, one in net.named_parameters()}}\n"
    "grads = torch.func.grad(lambda w: torch.func.functional_call(net, w, (X[:4],)).sum())\n"
    "grads = grads(weights); note('grads', [*grads.values()]); net.train()",
    "net.eval(); note('rows', torch.func.vmap(lambda one: net(one[None])[0])(X[:3])); net.train()",
    "from torch.utils.checkpoint import checkpoint\n"
    "checkpoint(net, X[:8], use_reentrant=False).sum().backward()",
    "note('children', [str(part) for part in net.children()][:1])",
    "note('count', sum(one.numel() for one in net.parameters() if one.requires_grad))",
    "note('named', [name for name, _ in net.named_parameters()])",
    "note('grads are none', [one.grad is None for one in net.parameters()])",
    "note('total', sum(one.abs().sum() for one in net.parameters()))",
    "note('weights', [one.detach().numpy().copy() for one in net.parameters()])",
    "other = torch.optim.SGD(list(net.parameters())[-2:], 0.1); other.zero_grad(); "
    "net(X[:8]).pow(2).mean().backward(); other.step()",
    "{take}; out += 1; note('in place', out)",
    "{take}; out = out.detach().requires_grad_(); out.sum().backward(); note('cut', out.grad)",
    "note('out', net(X[:4]).requires_grad, net(X[:4]).is_leaf)",
    "note('numbers', net(X[:4]).detach().numpy().sum())",
    "net.zero_grad(); net(X[:8]).sum().backward(); kept = [one.grad for one in net.parameters()]\n"
    "net.zero_grad(); net(X[8:16]).sum().backward(); note('kept', kept)",
    "with torch.random.fork_rng(): torch.manual_seed(3); note('drawn', torch.rand(2))",
    "note('drawn', torch.rand(2))",
    "try: net(X[:4].double())\nexcept RuntimeError: note('refused', 1)",
    "try: net(X[:4, :, :-1])\nexcept RuntimeError: note('refused', 2)",
    "note('larger', net(torch.cat([X[:4], X[:4]], -1)))",
    "if X.ndim == 4: note('larger', net(F.pad(X[:4], (0, 3, 0, 1))))",
    "note('none', net(X[:0]).shape)",
    "for part in net.modules():\n    if hasattr(part, 'inplace'): part.inplace = True",
    "torch.optim.swa_utils.update_bn([X[:8], X[8:16]], net)",
    "del net.cached",
    "net.cached = torch.ones(3)",
    "net.forward_before = net.forward; net.forward = lambda x: net.forward_before(x) * 2",
)
