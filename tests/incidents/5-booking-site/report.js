// Says how a piece of work went: one line each, with its time, and the error's number.
exports.step = async function (kind, work) {
  const began = Date.now();
  try {
    const result = await work();
    console.log(`done ${kind} ${Date.now() - began}`);
    return result;
  } catch (error) {
    console.log(`error ${error.errno > 0 ? error.errno : error.code} ${kind} ${Date.now() - began} ${error.message}`);
    return null;
  }
};
