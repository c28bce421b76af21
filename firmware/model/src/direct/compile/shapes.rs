//! Nodes that only give a value another shape.

use tract_onnx::pb::NodeProto;

use super::Compiler;

impl<'a> Compiler<'a> {
    pub(super) fn shape(&mut self, node: &'a NodeProto) -> Option<()> {
        let bound = *self.names.get(node.input.first()?.as_str())?;
        match node.op_type.as_str() {
            "Identity" => {
                self.bind(&node.name, bound.value, bound.rank);
                Some(())
            }
            "Squeeze" => {
                let axis = self.half.axis(node.input.get(1)?)?;
                let flat = bound.rank == 4 && axis == 2 && self.values[bound.value].rows == 1;
                flat.then(|| self.bind(&node.name, bound.value, 3))
            }
            "Unsqueeze" => {
                let axis = self.half.axis(node.input.get(1)?)?;
                let flat = bound.rank == 3 && axis == 1 && self.values[bound.value].channels == 1;
                flat.then(|| self.bind(&node.name, bound.value, 4))
            }
            _ => None,
        }
    }
}
